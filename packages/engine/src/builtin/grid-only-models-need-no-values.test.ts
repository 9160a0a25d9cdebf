/** Models that are listed as looking at the grid alone do so, and only they may be asked without values. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IDENTITY_AFFINE, makeVolume } from '@isocenter/volume';
import { afterAll, describe, expect, it } from 'vitest';
import { loadBundle } from '../bundle/load-bundle.js';
import { runBundle } from '../run.js';
import { type SegmentOptions, segmentStudy } from '../segment.js';
import { builtinModels } from './builtin-models.js';
import { looksAtGridOnly } from './looks-at-grid-only.js';

const folder = mkdtempSync(join(tmpdir(), 'grid-only-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const size = [96, 80, 12] as const;
const voxels = size[0] * size[1] * size[2];
const HEADER = `NRRD0004
type: int16
dimension: 3
space: left-posterior-superior
sizes: ${size.join(' ')}
space directions: (1,0,0) (0,1,0) (0,0,2)
kinds: domain domain domain
endian: little
encoding: raw
space origin: (1,2,3)

`;
const values = Int16Array.from({ length: voxels }, (_, n) => ((n * 7919) % 2000) - 1000);
const whole = join(folder, 'whole.nrrd');
writeFileSync(whole, Buffer.concat([Buffer.from(HEADER), Buffer.from(values.buffer)]));
const hollow = join(folder, 'hollow.nrrd');
writeFileSync(hollow, HEADER);
truncateSync(hollow, HEADER.length + 2 * voxels);

let runs = 0;
async function segment(input: string, model: string, options: Partial<SegmentOptions> = {}) {
  const outFolder = join(folder, `out-${runs++}`);
  mkdirSync(outFolder);
  const bundle = await loadBundle(model);
  const report = await segmentStudy(input, bundle, { formats: ['masks'], outFolder, durable: false, ...options });
  const files = readdirSync(outFolder).filter((name) => !name.includes('proof'));
  return { report, files: files.map((name) => [name, readFileSync(join(outFolder, name)).toString('base64')]) };
}

describe.each(['PassThroughModel', 'Phantom'])('%s', (model) => {
  it('is listed, and gives the same whatever the values are', async () => {
    const bundle = await loadBundle(model);
    expect(looksAtGridOnly(bundle)).toBe(true);
    const [some, none] = await Promise.all(
      [values, new Int16Array(voxels)].map((data) =>
        runBundle(bundle, {
          channels: [{ name: bundle.isocenter.channels[0].name, volume: makeVolume(data, size, IDENTITY_AFFINE) }],
        }),
      ),
    );
    expect(some).toEqual(none);
  });

  it('writes the same masks, proven, for a file without values, and tells no mean of them', async () => {
    const [there, absent] = [await segment(whole, model), await segment(hollow, model, { gridOnly: true })];
    expect(absent.files).toEqual(there.files);
    expect(absent.report.exact).toBe(true);
    const marked = there.report.structures.filter((row) => row.voxels > 0);
    expect(marked.length).toBeGreaterThan(0);
    expect(marked.every((row) => row.mean !== undefined)).toBe(true);
    expect(absent.report.structures).toEqual(there.report.structures.map(({ mean: _, ...row }) => row));
  });
});

describe('an image without values', () => {
  it('is refused by models that look at values, and for formats that tell of them', async () => {
    expect(Object.keys(builtinModels)).toContain('isocenter.CtBasic');
    expect(looksAtGridOnly(await loadBundle('ct-basic'))).toBe(false);
    await expect(segment(hollow, 'ct-basic', { gridOnly: true })).rejects.toMatchObject({ kind: 'needs-values' });
    await expect(segment(hollow, 'Phantom', { gridOnly: true, formats: ['masks', 'csv'] })).rejects.toMatchObject({
      kind: 'needs-values',
    });
  });

  it('is refused where the file is shorter than its header says', async () => {
    const short = join(folder, 'short.nrrd');
    writeFileSync(short, HEADER);
    truncateSync(short, HEADER.length + 2 * voxels - 1);
    await expect(segment(short, 'Phantom', { gridOnly: true })).rejects.toMatchObject({ kind: 'truncated' });
  });
});
