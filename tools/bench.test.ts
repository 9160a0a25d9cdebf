/** `npm run bench` keeps working: every row runs on its tiny input, the same work is recognised, and absent peers are named. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agreeWithin, equal, labelCountsWithin } from '../bench/src/agreement.js';
import { repositoryRoot } from './test/needs.js';

interface Line {
  readonly row: string;
  readonly who: string;
  readonly measured?: { readonly seconds?: number; readonly peakBytes: number; readonly check: unknown };
  readonly note?: string;
}

const ROWS = 26;
/** These are about bytes alone. */
const WITHOUT_TIME = /^(size|idle memory)/;
const MEGABYTE = 2 ** 20;
/** A minute on two idle cores; a dozen servers are started and stopped. */
const LONGEST_MS = 900_000;

describe('npm run bench -- --tiny, without peers', () => {
  let folder = '';
  let lines: Line[] = [];
  let text = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'isocenter-bench-'));
    const json = join(folder, 'rows.json');
    const run = (...args: string[]) =>
      execFileSync(process.execPath, args, {
        cwd: repositoryRoot,
        encoding: 'utf8',
        env: { ...process.env, ISOCENTER_PEERS: 'none' },
      });
    run(join(repositoryRoot, 'node_modules/typescript/bin/tsc'), '-p', 'bench');
    text = run('bench/dist/run.js', '--tiny', '--json', json);
    lines = JSON.parse(readFileSync(json, 'utf8')) as Line[];
  }, LONGEST_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('runs our side of every row, or says which data it lacks', () => {
    const ours = lines.filter(({ who }) => who === 'Isocenter');
    expect(ours).toHaveLength(ROWS);
    for (const { row, measured, note } of ours) {
      if (!measured) {
        expect(note, row).toMatch(/^skipped: no .*models-meshnet/);
        continue;
      }
      if (!WITHOUT_TIME.test(row)) expect(measured.seconds, row).toBeGreaterThan(0);
      expect(measured.peakBytes, row).toBeGreaterThan(20 * MEGABYTE);
    }
  });

  it('names every peer as skipped, with the reason', () => {
    const peers = lines.filter(({ who }) => who !== 'Isocenter');
    expect(peers.length).toBeGreaterThan(ROWS);
    for (const { who, measured, note } of peers) {
      expect(measured, who).toBeUndefined();
      expect(note).toBe('skipped: ISOCENTER_PEERS=none');
      expect(text).toContain(who);
    }
  });

  it('does the same work on the way there and back: 20 structures with the same voxels as RTSTRUCT, masks and SEG', () => {
    const checkOf = (row: RegExp) => lines.find((line) => row.test(line.row) && line.measured)?.measured?.check;
    const written = checkOf(/to RTSTRUCT/);
    expect(written).toMatchObject({ structures: 20 });
    expect(checkOf(/RTSTRUCT to masks/)).toEqual(written);
    expect(checkOf(/to SEG/)).toEqual(written);
    expect(checkOf(/contours alone/)).toEqual({ wrong: 0 });
  });

  it('does the work of a server: jobs run once, bytes arrive whole, pages are right, keys are asked for, a job ends', () => {
    const checkOf = (row: RegExp) => lines.find((line) => row.test(line.row) && line.measured)?.measured?.check;
    expect(checkOf(/^enqueue/)).toEqual({ runs: 20 });
    expect(checkOf(/^POST of a zip/)).toEqual({ whole: 2, other: 0 });
    expect(checkOf(/^parallel POSTs/)).toEqual({ whole: 5, other: 0 });
    expect(checkOf(/^InnerEye/)).toEqual(
      Object.fromEntries(['SpinalCord', 'Lung_R', 'Lung_L', 'Heart', 'Esophagus'].map((name) => [name, 16])),
    );
    expect(checkOf(/^authenticated GET/)).toEqual({ withKey: 200, withoutKey: 401, otherKey: 401 });
    expect(checkOf(/^one page/)).toEqual({ jobs: 2000, wrong: [] });
    expect(checkOf(/after a job/)).toMatchObject({ state: 'succeeded', evicted: true });
  });
});

describe('the comparison of results', () => {
  it('tells different results apart and says both', () => {
    expect(equal({ voxels: 3 }, { voxels: 3 })).toBeUndefined();
    expect(equal({ voxels: 3 }, { voxels: 4 })).toBe('ours {"voxels":3}, peer {"voxels":4}');
  });

  it('allows float noise, and no more', () => {
    const within = agreeWithin(1e-4);
    expect(within({ size: [2, 3], mean: -700 }, { size: [2, 3], mean: -700.01 })).toBeUndefined();
    expect(within({ mean: -700 }, { mean: -701 })).toContain('-701');
    expect(within([1, 2], [1])).toBeDefined();
  });

  it('allows a few voxels of another label', () => {
    const within = labelCountsWithin(1e-4);
    expect(within([10_000, 10_000], [10_001, 9_999])).toBeUndefined();
    expect(within([10_000, 10_000], [10_002, 9_998])).toContain('9998');
  });
});
