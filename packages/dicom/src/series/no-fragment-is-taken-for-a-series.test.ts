/** Promise: nothing is chosen that is only a piece of a series, whichever image is the odd one and whatever is odd about it. */
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../dataset/dataset.js';
import { uidFrom } from '../dataset/uid.js';
import { chooseSeries, type Wish } from './choose.js';
import { scanSources } from './scan.js';
import { syntheticSeries } from './synthetic.suite.js';

/** Half the pixels, so that size and header stay in accord. */
const fewerRows = (dataset: Dataset) => dataset.set('Rows', 4).set('PixelData', new Uint8Array(2 * 4 * 7), 'OW');
const fewerColumns = (dataset: Dataset) => dataset.set('Columns', 6).set('PixelData', new Uint8Array(2 * 5 * 6), 'OW');

const oddities: readonly (readonly [string, (dataset: Dataset) => unknown])[] = [
  ['pixel spacing', (d) => d.set('PixelSpacing', [3, 3])],
  ['orientation', (d) => d.set('ImageOrientationPatient', [0, 1, 0, 0, 0, -1])],
  ['rows', fewerRows],
  ['columns', fewerColumns],
  ['frame of reference', (d) => d.set('FrameOfReferenceUID', '1.2.3')],
  ['modality', (d) => d.set('Modality', 'MR')],
  ['study', (d) => d.set('StudyInstanceUID', '1.2.3')],
];

const choose = async (slices: number, odd: (k: number) => boolean, edit: (dataset: Dataset) => unknown, wish: Wish) =>
  chooseSeries(
    await scanSources(syntheticSeries({ slices, edit: (dataset, k) => void (odd(k) && edit(dataset)) })),
    wish,
  );

describe.each(oddities)('images of another %s', (_, edit) => {
  it.each<readonly [string, number, (k: number) => boolean]>([
    ['the first of 4', 4, (k) => k === 0],
    ['the second of 4', 4, (k) => k === 1],
    ['the last of 4', 4, (k) => k === 3],
    ['the first of 100', 100, (k) => k === 0],
    ['one in the middle of 100', 100, (k) => k === 50],
    ['the upper half of 8', 8, (k) => k >= 4],
    ['every other one of 8', 8, (k) => k % 2 === 0],
  ])('%s: refused, also where the first of equals would be taken', async (_, slices, odd) => {
    const refused = expect.objectContaining({
      name: 'SeriesError',
      kind: expect.stringMatching(/^(fragment|unusable-series)$/),
      message: expect.not.stringMatching(/1\.2\.3/),
    });
    for (const modality of ['CT', undefined])
      await expect(choose(slices, odd, edit, { ties: 'first', ...(modality ? { modality } : {}) })).rejects.toThrow(
        refused,
      );
    await expect(choose(slices, odd, edit, {})).rejects.toMatchObject({ name: 'SeriesError' });
    await expect(choose(slices, odd, edit, { SeriesInstanceUID: uidFrom('series'), ties: 'first' })).rejects.toThrow(
      refused,
    );
  });
});

describe('the refusal', () => {
  const spacing = (d: Dataset) => d.set('PixelSpacing', [3, 3]);
  const last = (k: number) => k === 3;

  it('says how many images, which, and what to do', async () => {
    await expect(choose(4, last, spacing, {})).rejects.toMatchObject({
      kind: 'fragment',
      message: expect.stringMatching(/^Series 1, part 1 of 2 .* is only a piece: 1 of the 4 images of the series have/),
      where: 'Instance Number 1',
      next: expect.stringContaining('by its number'),
    });
  });

  it('is not there for a part that was named by its number', async () => {
    const { assembly } = await choose(4, last, spacing, { number: 1 });
    expect(assembly.slices).toHaveLength(3);
  });

  it('becomes a finding where the longest run was asked for', async () => {
    const { assembly } = await choose(4, last, spacing, { assemble: { irregular: 'longest-run' } });
    expect(assembly.slices).toHaveLength(3);
    expect(assembly.findings).toContainEqual(expect.objectContaining({ kind: 'left-out', severity: 'warning' }));
  });

  it.each<readonly [string, (d: Dataset) => unknown]>([
    ['localiser', (d) => spacing(d).set('ImageType', ['ORIGINAL', 'PRIMARY', 'LOCALIZER'])],
    ['derived image', (d) => spacing(d).set('ImageType', ['DERIVED', 'SECONDARY'])],
    [
      'picture in colours',
      (d) => d.set('SamplesPerPixel', 3).set('PhotometricInterpretation', 'RGB').set('PixelData', new Uint8Array(420)),
    ],
  ])('is not there for a %s beside the series', async (_, edit) => {
    const { assembly } = await choose(4, last, edit, {});
    expect(assembly.slices).toHaveLength(3);
  });

  it('is there for a derived image whose place in the series stays empty', async () => {
    const derived = (d: Dataset) => spacing(d).set('ImageType', ['DERIVED', 'SECONDARY']);
    await expect(choose(100, (k) => k === 50, derived, { ties: 'first' })).rejects.toThrow(
      expect.objectContaining({ kind: 'unusable-series', message: expect.stringContaining('1 slice is missing') }),
    );
  });

  it('is there for two acquisitions that overlap in one slice only', async () => {
    const all = syntheticSeries({
      slices: 8,
      edit: (d, k) => {
        const z = k < 4 ? k : k - 1;
        void d
          .set('ImagePositionPatient', [-10, 20, 2.5 * z])
          .set('AcquisitionNumber', k < 4 ? 1 : 2)
          .set('PixelData', new Uint8Array(70).fill(k), 'OW');
      },
    });
    const scan = await scanSources(all);
    expect(() => chooseSeries(scan, { ties: 'first' })).toThrow(expect.objectContaining({ kind: 'fragment' }));
  });

  it('is not there for one of two time points, also when the second was broken off', async () => {
    const all = syntheticSeries({
      slices: 7,
      edit: (d, k) => {
        void d
          .set('ImagePositionPatient', [-10, 20, 2.5 * (k % 4)])
          .set('TemporalPositionIdentifier', k < 4 ? 1 : 2)
          .set('PixelData', new Uint8Array(70).fill(k), 'OW');
      },
    });
    expect(chooseSeries(await scanSources(all)).assembly.slices).toHaveLength(4);
  });
});
