/** Promise: images that cannot share a grid become parts with reasons; the choice among series is fixed and explained. */
import { describe, expect, it } from 'vitest';
import { Dataset } from '../dataset/dataset.js';
import { uidFrom } from '../dataset/uid.js';
import { assembleSeries } from './assemble.js';
import { chooseSeries } from './choose.js';
import { loadVolume } from './load.js';
import { scanSources } from './scan.js';
import type { Series } from './series.js';
import type { InstanceSource } from './source.js';
import { positionsAlong, type SyntheticOptions, source, syntheticFiles, syntheticSeries } from './synthetic.suite.js';

/** One after the other under fresh names, all in the series UID of `seed` unless a part has its own. */
function together(...parts: readonly SyntheticOptions[]): readonly InstanceSource[] {
  return parts.flatMap((part, n) =>
    syntheticFiles({
      ...part,
      edit: (dataset, k) => {
        dataset.set('SOPInstanceUID', uidFrom(`instance ${n} ${k}`));
        part.edit?.(dataset, k);
      },
    }).map((file, k) => source(`${n}-${k}`, file)),
  );
}

const set = (edit: (dataset: Dataset) => unknown) => (dataset: Dataset) => void edit(dataset);
const ofSeries = (seed: string, number: number) => (dataset: Dataset) =>
  void dataset.set('SeriesInstanceUID', uidFrom(seed)).set('SeriesNumber', number);

async function labels(sources: readonly InstanceSource[]): Promise<readonly string[]> {
  const scan = await scanSources(sources);
  return scan.series.map(({ part, frames }) => `${part?.label ?? 'whole'}: ${frames.length}`);
}

describe('one Series Instance UID with several grids', () => {
  it.each<readonly [string, SyntheticOptions, string]>([
    ['another size', { rows: 9, slices: 2 }, '2 images 7 × 9 axial'],
    [
      'another orientation',
      { rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], positions: positionsAlong([1, 2, 3], [2, 0, 0], 3) },
      '3 images 7 × 5 sagittal',
    ],
    ['another pixel spacing', { pixelSpacing: [3, 3], slices: 2 }, '2 images 7 × 5 axial'],
    [
      'another frame of reference',
      { slices: 2, edit: set((d) => d.set('FrameOfReferenceUID', '1.2.3')) },
      '2 images 7 × 5 axial',
    ],
    [
      'a localiser',
      { slices: 1, edit: set((d) => d.set('ImageType', ['ORIGINAL', 'PRIMARY', 'LOCALIZER'])) },
      '1 image 7 × 5 localiser',
    ],
  ])(
    '%s is a part of its own; the larger part is chosen when it is named, or when nothing else belongs to it',
    async (_, other, label) => {
      const sources = together({}, other);
      expect(await labels(sources)).toEqual(['6 images 7 × 5 axial: 6', `${label}: ${Number.parseInt(label, 10)}`]);
      expect(await labels([...sources].reverse())).toEqual(await labels(sources));
      const scan = await scanSources(sources);
      const pieces = !scan.series.some(({ localiser }) => localiser);
      if (pieces) expect(() => chooseSeries(scan)).toThrow(expect.objectContaining({ kind: 'fragment' }));
      const { assembly, reasons } = chooseSeries(scan, pieces ? { number: 1 } : {});
      expect(assembly.series.part?.index).toBe(1);
      expect(assembly.findings.map((finding) => finding.kind)).toEqual(['mixed-series']);
      expect(reasons).toHaveLength(pieces ? 1 : 2);
    },
  );

  it('direction cosines that differ by rounding are one orientation', async () => {
    const jitter = (dataset: Dataset, k: number) =>
      void dataset.set('ImageOrientationPatient', [1, 0, 0, 0, 1, k * 1e-5]);
    expect(await labels(syntheticSeries({ edit: jitter }))).toEqual(['whole: 6']);
  });
});

describe('several volumes at the same positions', () => {
  const cases: readonly (readonly [string, (dataset: Dataset, n: number) => unknown])[] = [
    ['time point', (d, n) => d.set('TemporalPositionIdentifier', n + 1)],
    ['acquisition', (d, n) => d.set('AcquisitionNumber', n + 1)],
    ['echo', (d, n) => d.set('EchoTime', 10 * (n + 1))],
    ['b-value', (d, n) => d.set('DiffusionBValue', 500 * n)],
    ['trigger time', (d, n) => d.set('TriggerTime', 40 * n)],
    ['image type', (d, n) => d.set('ImageType', ['ORIGINAL', 'PRIMARY', ['M', 'P', 'R'][n]])],
  ];
  it.each(cases)('are told apart by %s', async (name, edit) => {
    const part = (n: number): SyntheticOptions => ({
      edit: (dataset, k) => {
        dataset.set('AcquisitionTime', `1200${String(10 + 10 * n + k)}`);
        dataset.set('PixelData', new Uint8Array(70).fill(n + 1), 'OW');
        edit(dataset, n);
      },
    });
    const scan = await scanSources(together(part(2), part(0), part(1)));
    expect(scan.series).toHaveLength(3);
    expect(scan.series.every((series) => series.part?.label.startsWith(name))).toBe(true);
    const firsts: number[] = [];
    for (const series of scan.series) {
      const assembly = assembleSeries(series);
      expect(assembly.findings.map((finding) => finding.kind)).toEqual(['several-volumes']);
      firsts.push((await loadVolume(assembly)).volume.data[0]);
    }
    const values = [0x0101, 0x0202, 0x0303].map((value) => value - 1024);
    expect(name === 'image type' ? [...firsts].sort((a, b) => a - b) : firsts).toEqual(values);
  });

  it('two keys together tell four volumes apart', async () => {
    const part = (echo: number, time: number): SyntheticOptions => ({
      edit: set((d) => d.set('EchoTime', echo).set('TemporalPositionIdentifier', time)),
    });
    const scan = await scanSources(together(part(5, 1), part(5, 2), part(9, 1), part(9, 2)));
    expect(scan.series.map((series) => series.part?.label)).toEqual([
      'time point · echo 1 · 5',
      'time point · echo 1 · 9',
      'time point · echo 2 · 5',
      'time point · echo 2 · 9',
    ]);
  });

  it('a key that differs in every slice tells nothing', async () => {
    const part = (n: number): SyntheticOptions => ({
      edit: (dataset, k) =>
        void dataset
          .set('PixelData', new Uint8Array(70).fill(n + 1), 'OW')
          .set('AcquisitionTime', `1200${String(10 + 6 * n + k)}`),
    });
    const scan = await scanSources(together(part(0), part(1)));
    expect(scan.series).toHaveLength(1);
    expect(assembleSeries(scan.series[0]).findings.map((finding) => finding.kind)).toEqual(['conflicting-duplicates']);
  });

  it('acquisition numbers that differ along a series without repeats do not split it', async () => {
    const edit = (dataset: Dataset, k: number) => void dataset.set('AcquisitionNumber', k + 1);
    expect(await labels(syntheticSeries({ edit }))).toEqual(['whole: 6']);
  });

  it('a whole series that was sent twice is one series', async () => {
    const sources = syntheticSeries({ slices: 20 });
    const again = sources.map((each) => ({ ...each, name: `copy of ${each.name}` }));
    const scan = await scanSources([...again, ...sources]);
    expect(scan.series).toHaveLength(1);
    const assembly = assembleSeries(scan.series[0]);
    expect(assembly.slices).toHaveLength(20);
    expect(assembly.findings).toMatchObject([
      { kind: 'duplicate', message: expect.stringContaining('20 images repeat') },
    ]);
  });
});

describe('the choice of a series', () => {
  const thin: SyntheticOptions = { slices: 8, edit: ofSeries('thin', 2) };
  const thick: SyntheticOptions = { slices: 4, edit: ofSeries('thick', 3) };
  const broken: SyntheticOptions = {
    positions: [
      [0, 0, 0],
      [0, 0, 1],
      [0, 0, 5],
    ],
    edit: ofSeries('broken', 4),
  };
  const derived: SyntheticOptions = {
    slices: 30,
    edit: (dataset) => ofSeries('derived', 5)(dataset.set('ImageType', ['DERIVED', 'SECONDARY', 'MPR'])),
  };
  const magnetic: SyntheticOptions = {
    slices: 40,
    edit: (dataset) =>
      ofSeries('mr', 6)(dataset.set('Modality', 'MR').delete('RescaleSlope').delete('RescaleIntercept')),
  };
  const all = together(thick, derived, magnetic, broken, thin);

  it('takes the original, usable one of most slices, and says why not the others', async () => {
    const { assembly, reasons } = chooseSeries(await scanSources(all), { modality: 'CT' });
    expect(assembly.series.SeriesInstanceUID).toBe(uidFrom('thin'));
    expect(reasons).toEqual([
      'Series 1 was chosen: CT, original, 8 slices, the best of 3 usable series.',
      'Series 5 is MR, not CT.',
      expect.stringMatching(/^Series 3 cannot be used: 3 slices are missing/),
      'Series 2 was not: it has 4 slices only.',
      'Series 4 was not: it is derived from another.',
    ]);
  });

  it('is the same for any order of files', async () => {
    const first = chooseSeries(await scanSources(all), { modality: 'CT' });
    const reversed = chooseSeries(await scanSources([...all].reverse()), { modality: 'CT' });
    expect(reversed.reasons).toEqual(first.reasons);
    expect(reversed.assembly.grid).toEqual(first.assembly.grid);
  });

  it('follows a UID or a number', async () => {
    const scan = await scanSources(all);
    const named = (series: Series) => series.SeriesInstanceUID;
    expect(named(chooseSeries(scan, { SeriesInstanceUID: uidFrom('thick') }).assembly.series)).toBe(uidFrom('thick'));
    expect(named(chooseSeries(scan, { number: 4 }).assembly.series)).toBe(uidFrom('derived'));
    expect(() => chooseSeries(scan, { number: 9 })).toThrow(expect.objectContaining({ kind: 'unknown-series' }));
    expect(() => chooseSeries(scan, { number: 3 })).toThrow(expect.objectContaining({ kind: 'unusable-series' }));
  });

  it('a model that needs PET is told what is there instead', async () => {
    const scan = await scanSources(all);
    expect(() => chooseSeries(scan, { modality: 'PT' })).toThrow(
      expect.objectContaining({ kind: 'no-series', message: 'There is no PT series.', next: 'Found: CT, MR.' }),
    );
  });

  it('two that fit equally well are an error that lists them, unless the first shall win', async () => {
    const twins = together({ edit: ofSeries('b', 2) }, { edit: ofSeries('a', 1) });
    for (const sources of [twins, [...twins].reverse()]) {
      const scan = await scanSources(sources);
      expect(() => chooseSeries(scan)).toThrow(
        expect.objectContaining({
          kind: 'ambiguous-series',
          message: '2 series fit equally well: series 1 with 6 slices; series 2 with 6 slices.',
        }),
      );
      expect(chooseSeries(scan, { ties: 'first' }).assembly.series.SeriesInstanceUID).toBe(uidFrom('a'));
    }
  });
});

describe('enhanced multi-frame objects', () => {
  const frames = (stacks: readonly string[], heights: readonly number[]) =>
    heights.map((z, n) =>
      new Dataset()
        .set('FrameContentSequence', [new Dataset().set('StackID', stacks[n]).set('TemporalPositionIndex', 1)])
        .set('PlanePositionSequence', [new Dataset().set('ImagePositionPatient', [1, 2, z])])
        .set('PixelValueTransformationSequence', [
          new Dataset()
            .set('RescaleSlope', 1)
            .set('RescaleIntercept', 10 * n)
            .set('RescaleType', 'HU'),
        ]),
    );
  const enhanced = (perFrame: readonly Dataset[]) =>
    syntheticSeries({
      slices: 1,
      edit: (dataset) => {
        for (const k of ['ImagePositionPatient', 'ImageOrientationPatient', 'PixelSpacing', 'SliceThickness'] as const)
          dataset.delete(k);
        const pixels = new Uint16Array(35 * perFrame.length + (perFrame.length % 2)).map((_, p) => Math.floor(p / 35));
        dataset
          .delete('RescaleSlope')
          .delete('RescaleIntercept')
          .set('NumberOfFrames', perFrame.length)
          .set('PixelData', new Uint8Array(pixels.buffer).slice(0, 70 * perFrame.length), 'OW')
          .set('PerFrameFunctionalGroupsSequence', perFrame)
          .set('SharedFunctionalGroupsSequence', [
            new Dataset()
              .set('PlaneOrientationSequence', [new Dataset().set('ImageOrientationPatient', [1, 0, 0, 0, 1, 0])])
              .set('PixelMeasuresSequence', [new Dataset().set('PixelSpacing', [2, 3]).set('SliceThickness', 1)]),
          ]);
      },
    });

  it('frames are put in order by position, each rescaled by its own functional group', async () => {
    const scan = await scanSources(enhanced(frames(['1', '1', '1'], [9, 5, 7])));
    const { volume, reference } = await loadVolume(assembleSeries(scan.series[0]));
    expect(reference.slices.map((slice) => slice.frameNumber)).toEqual([2, 3, 1]);
    expect([volume.data[0], volume.data[35], volume.data[70]]).toEqual([11, 22, 0]);
    expect(volume.affine).toEqual([3, 0, 0, 1, 0, 2, 0, 2, 0, 0, 2, 5, 0, 0, 0, 1]);
  });

  it('two stacks with a gap between them are two parts', async () => {
    const scan = await scanSources(enhanced(frames(['1', '1', '1', '2', '2'], [0, 1, 2, 50, 52])));
    expect(scan.series.map((series) => series.frames.length)).toEqual([3, 2]);
    expect(scan.series.map((series) => assembleSeries(series).usable)).toEqual([true, true]);
  });

  it('a lie about the number of frames is refused before anything is allocated', async () => {
    const [lying] = enhanced(frames(['1', '1', '1'], [0, 1, 2]));
    const text = Buffer.from(await lying.read()).toString('latin1');
    const at = text.indexOf('\x28\x00\x08\x00IS');
    const bytes = Buffer.from(text, 'latin1');
    bytes.write('9 ', at + 8);
    const scan = await scanSources([source('lying', new Uint8Array(bytes))]);
    const found = assembleSeries(scan.series[0]).findings.filter((finding) => finding.severity === 'refusal');
    expect(found.map((finding) => finding.kind)).toContain('pixel-data-size');
  });
});
