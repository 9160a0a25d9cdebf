/**
 * Promise: the same images give the same bytes. How the files are called, in which order and folders they come, as zip, tar-like
 * folder or compressed, leaves no trace; with the run's UID and time given, RTSTRUCT and SEG are equal to the last bit.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { loadBundle, segmentStudy } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, Workplace } from './run-cli.suite.js';
import { type StudyFile, study } from './studies.suite.js';

let place: Workplace;
let files: StudyFile[];
beforeAll(async () => {
  place = new Workplace();
  files = await study();
});
afterAll(() => place.remove());

let runs = 0;
const FORMATS = ['rtstruct', 'seg', 'nifti', 'nrrd', 'png', 'csv', 'sr', 'sc'];

/** SHA-256 of every file that a run writes, by name. */
async function hashes(input: string | Uint8Array, when: { now?: Date; runUID?: string } = FIXED) {
  const outFolder = place.path(`out-${++runs}`);
  const bundle = await loadBundle('ct-basic');
  const report = await segmentStudy(input, bundle, { formats: FORMATS, outFolder, ...when });
  expect(report.exact).toBe(true);
  return Object.fromEntries(
    report.files.map((path) => [basename(path), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

const FIXED = { now: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)), runUID: '2.25.42' };

/** The same shuffle every time (LCG), so that a failure can be repeated. */
function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items];
  const out: T[] = [];
  for (let seed = 12345; rest.length > 0; seed = (seed * 1103515245 + 12345) % 2 ** 31)
    out.push(...rest.splice(seed % rest.length, 1));
  return out;
}

const renamed = (name: (n: number) => string) => files.map(({ bytes }, n) => ({ name: name(n), bytes }));

describe('the same images', () => {
  let usual: Record<string, string>;
  beforeAll(async () => {
    usual = await hashes(await writeZip(files));
    expect(Object.keys(usual).length).toBeGreaterThanOrEqual(FORMATS.length);
  });

  const ways: Readonly<Record<string, () => readonly StudyFile[]>> = {
    'a second time': () => files,
    'in reversed order': () => [...files].reverse(),
    'in any order': () => shuffled(files),
    'under names that sort the other way': () => renamed((n) => `z${String(99 - n)}.dcm`),
    'without extensions': () => renamed((n) => `IM${n}`),
    'with extensions of other formats': () => renamed((n) => `${n}.${['txt', 'nii.gz', 'zip', 'jpg'][n % 4]}`),
    'in nested folders': () => renamed((n) => `a/${n % 2 ? 'b/c' : 'd'}/${n}`),
    'with names in other scripts': () => renamed((n) => `${['肺', 'Лёгкое', 'ریه', 'é'][n % 4]} ${n}`),
    'beside letters and litter': () => [
      { name: 'README.txt', bytes: Buffer.from('Dear colleague') },
      { name: '__MACOSX/._x', bytes: Buffer.from([0, 5, 22, 7]) },
      ...shuffled(files),
    ],
    'with one of them twice': () => [...files, { name: 'again', bytes: files[3].bytes }],
  };
  for (const [way, make] of Object.entries(ways))
    it(`${way}: the same bytes in every format`, async () => {
      expect(await hashes(await writeZip(make()))).toEqual(usual);
    });

  it('as a folder, and as a zip that is not compressed', async () => {
    for (const [n, { bytes }] of shuffled(files).entries()) {
      const path = place.path('folder', n % 2 ? 'x' : 'y', `${n}`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
    expect(await hashes(place.path('folder'))).toEqual(usual);
    expect(await hashes(await writeZip(files.map((file) => ({ ...file, compress: false }))))).toEqual(usual);
  });

  it('by the command line, twice: the same voxels, each run with UIDs of its own', async () => {
    const input = place.path('study.zip');
    writeFileSync(input, await writeZip(files));
    const runOnce = async (out: string) => {
      const args = ['--model', 'ct-basic', '--out', place.path(out), '--format', 'rtstruct,nifti', '--json'];
      const { stdout } = await run('segment', input, ...args);
      const report = JSON.parse(stdout);
      const image = report.files.find((path: string) => path.endsWith('.nii.gz'));
      return { run: report.provenance.runUID, structures: report.structures, image: readFileSync(image) };
    };
    const [first, second] = [await runOnce('cli-1'), await runOnce('cli-2')];
    expect(second.image.equals(first.image)).toBe(true);
    expect(second.structures).toEqual(first.structures);
    expect(second.run).not.toBe(first.run);
  });
});
