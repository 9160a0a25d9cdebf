/** Promise: what is wrong with a series is said by kind, with a next step; nothing wrong becomes a volume silently. */
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../dataset/dataset.js';
import { assembleSeries } from './assemble.js';
import { chooseSeries } from './choose.js';
import type { FindingKind, FindingSeverity } from './findings.js';
import { loadVolume } from './load.js';
import { scanSources } from './scan.js';
import type { InstanceSource } from './source.js';
import { positionsAlong, source, syntheticFiles, syntheticSeries } from './synthetic.suite.js';

const evenly = positionsAlong([-10, 20, -30], [0, 0, 2.5], 6);
const without = (...missing: number[]) => evenly.filter((_, k) => !missing.includes(k));

interface Case {
  readonly sources: () => readonly InstanceSource[];
  readonly kind: FindingKind;
  readonly severity: FindingSeverity;
  readonly says?: RegExp;
}

const cases: Readonly<Record<string, Case>> = {
  'a missing slice': {
    sources: () => syntheticSeries({ positions: without(2) }),
    kind: 'gap',
    severity: 'refusal',
    says: /1 slice is missing.*-25 mm/s,
  },
  'two missing slices together': {
    sources: () => syntheticSeries({ positions: without(2, 3) }),
    kind: 'gap',
    severity: 'refusal',
    says: /2 slices are missing.*-25 mm, -22.5 mm/s,
  },
  'uneven distances': {
    sources: () => syntheticSeries({ positions: [...evenly, [-10, 20, -16.1]] }),
    kind: 'variable-spacing',
    severity: 'refusal',
  },
  'one slice': {
    sources: () => syntheticSeries({ positions: evenly.slice(0, 1) }),
    kind: 'single-slice',
    severity: 'warning',
  },
  'slices that drift sideways': {
    sources: () => syntheticSeries({ positions: evenly.map(([x, y, z], k) => [x + (k === 3 ? 5 : 0), y, z]) }),
    kind: 'uneven-positions',
    severity: 'refusal',
  },
  'images without position': {
    sources: () => syntheticSeries({ edit: (dataset) => dataset.delete('ImagePositionPatient') }),
    kind: 'missing-position',
    severity: 'refusal',
  },
  'images without orientation': {
    sources: () => syntheticSeries({ edit: (dataset) => dataset.delete('ImageOrientationPatient') }),
    kind: 'missing-orientation',
    severity: 'refusal',
  },
  'directions that are not perpendicular': {
    sources: () => syntheticSeries({ columnDirection: [0.5, 0.8, 0] }),
    kind: 'bad-orientation',
    severity: 'refusal',
  },
  'images without pixel spacing': {
    sources: () => syntheticSeries({ edit: (dataset) => dataset.delete('PixelSpacing') }),
    kind: 'missing-pixel-spacing',
    severity: 'refusal',
  },
  'spacing at the detector only': {
    sources: () =>
      syntheticSeries({
        edit: (dataset) => dataset.delete('PixelSpacing').set('ImagerPixelSpacing', [0.2, 0.2]),
      }),
    kind: 'missing-pixel-spacing',
    severity: 'warning',
  },
  'Rows that lie upwards': {
    sources: () => syntheticSeries({ edit: (dataset) => dataset.set('Rows', 5000) }),
    kind: 'pixel-data-size',
    severity: 'refusal',
  },
  'Rows that lie downwards': {
    sources: () => syntheticSeries({ edit: (dataset) => dataset.set('Rows', 2) }),
    kind: 'pixel-data-size',
    severity: 'refusal',
  },
  'inverted grey': {
    sources: () => syntheticSeries({ edit: (dataset) => dataset.set('PhotometricInterpretation', 'MONOCHROME1') }),
    kind: 'monochrome1',
    severity: 'note',
  },
  colour: {
    sources: () =>
      syntheticSeries({
        edit: (dataset) =>
          dataset
            .set('PhotometricInterpretation', 'RGB')
            .set('SamplesPerPixel', 3)
            .set('PlanarConfiguration', 0)
            .set('BitsAllocated', 8)
            .set('BitsStored', 8)
            .set('HighBit', 7)
            .set('PixelData', new Uint8Array(5 * 7 * 3 + 1), 'OB'),
      }),
    kind: 'colour',
    severity: 'refusal',
  },
  'a transfer syntax that nobody knows': {
    sources: () =>
      syntheticSeries({ bytes: (file) => replaceText(file, '1.2.840.10008.1.2.1\0', '1.2.840.10008.9.9.9\0') }),
    kind: 'unsupported-transfer-syntax',
    severity: 'refusal',
  },
  'no rescale in a CT': {
    sources: () => syntheticSeries({ edit: (dataset) => dataset.delete('RescaleIntercept').delete('RescaleSlope') }),
    kind: 'missing-rescale',
    severity: 'warning',
  },
  'a Modality LUT': {
    sources: () =>
      syntheticSeries({ edit: (dataset) => dataset.set('ModalityLUTSequence', [dataset.portableCopy(true)]) }),
    kind: 'modality-lut',
    severity: 'refusal',
  },
  'the same file twice': {
    sources: () => [
      ...syntheticSeries(),
      ...syntheticSeries()
        .slice(2, 4)
        .map((each) => ({ ...each, name: `copy/${each.name}` })),
    ],
    kind: 'duplicate',
    severity: 'note',
    says: /2 images repeat/,
  },
  'the same pixels under another UID': {
    sources: () => [
      ...syntheticSeries(),
      source('again', syntheticFiles({ edit: (dataset) => dataset.set('SOPInstanceUID', '1.2.3') })[2]),
    ],
    kind: 'duplicate',
    severity: 'note',
  },
  'other pixels at the same position': {
    sources: () => [...syntheticSeries(), source('other', otherPixels('1.2.3'))],
    kind: 'conflicting-duplicates',
    severity: 'refusal',
    says: /-25 mm/,
  },
  'other pixels under the same UID': {
    sources: () => [...syntheticSeries(), source('other', otherPixels(undefined))],
    kind: 'conflicting-duplicates',
    severity: 'refusal',
  },
};

function otherPixels(uid: string | undefined): Uint8Array {
  const edit = (dataset: Dataset) => {
    if (uid) dataset.set('SOPInstanceUID', uid);
    dataset.set('PixelData', new Uint8Array(70).fill(9), 'OW');
  };
  return syntheticFiles({ edit })[2];
}

function replaceText(file: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(file).toString('latin1');
  return new Uint8Array(Buffer.from(text.replace(from, to), 'latin1'));
}

describe('what is wrong with a series is said', () => {
  for (const [name, { sources, kind, severity, says }] of Object.entries(cases)) {
    it(`${name}: ${kind} (${severity})`, async () => {
      const scan = await scanSources(sources());
      expect(scan.series).toHaveLength(1);
      const assembly = assembleSeries(scan.series[0]);
      const finding = assembly.findings.find((each) => each.kind === kind);
      expect(finding).toMatchObject({ kind, severity });
      if (says) expect(`${finding?.message} ${finding?.where}`).toMatch(says);
      expect(assembly.usable).toBe(severity !== 'refusal');
      if (severity === 'refusal') {
        await expect(loadVolume(assembly)).rejects.toMatchObject({ kind: 'unusable-series' });
        expect(() => chooseSeries(scan)).toThrow(expect.objectContaining({ kind: 'unusable-series' }));
      } else {
        const { volume } = await loadVolume(assembly);
        expect(volume.size.slice(0, 2)).toEqual([7, 5]);
      }
    });
  }

  it('distances that differ by less than 0.1 mm are even', async () => {
    const positions = [...evenly.slice(0, 5), [-10, 20, -17.45] as const];
    const scan = await scanSources(syntheticSeries({ positions }));
    expect(assembleSeries(scan.series[0])).toMatchObject({ usable: true, findings: [] });
  });

  it('a repeated slice does not change the volume', async () => {
    const once = await loadVolume(assembleSeries((await scanSources(syntheticSeries())).series[0]));
    const twice = await loadVolume(
      assembleSeries((await scanSources(cases['the same file twice'].sources())).series[0]),
    );
    expect(twice.volume).toEqual(once.volume);
  });

  it('the longest even run is used where that is wished, and what is left out is said', async () => {
    const scan = await scanSources(syntheticSeries({ positions: without(1) }));
    const assembly = assembleSeries(scan.series[0], { irregular: 'longest-run' });
    expect(assembly.usable).toBe(true);
    expect(assembly.grid?.size).toEqual([7, 5, 4]);
    expect(assembly.grid?.affine[11]).toBe(-25);
    expect(assembly.findings.map((each) => each.kind)).toEqual(['gap', 'left-out']);
  });
});

describe('damaged and foreign files', () => {
  it('cut-off pixel data is refused by name, and no series is chosen beside it', async () => {
    const sources = syntheticSeries({ bytes: (file, k) => (k === 5 ? file.slice(0, file.length - 20) : file) });
    const scan = await scanSources(sources);
    expect(scan.refused).toMatchObject([{ name: 'slice-5.dcm', failure: { kind: 'truncated' } }]);
    expect(() => chooseSeries(scan)).toThrow(expect.objectContaining({ kind: 'damaged-source' }));
    expect(chooseSeries(scan, { damaged: 'ignore' }).assembly.slices).toHaveLength(5);
  });

  it('text is ignored with a reason, after it was read to its end', async () => {
    let reads = 0;
    const text = { ...source('notes.txt', Buffer.from('not an image '.repeat(9999))), size: 13 * 9999 };
    const watched = {
      ...text,
      read: () => {
        reads++;
        return text.read();
      },
    };
    const scan = await scanSources([...syntheticSeries(), watched]);
    expect(scan.ignored).toEqual([{ name: 'notes.txt', reason: 'not a DICOM file' }]);
    expect(reads).toBe(1);
    expect(scan.series).toHaveLength(1);
  });

  it('a Failure of a source is in the list of refused files, any other error is thrown', async () => {
    const { SeriesError } = await import('./errors.js');
    const [good] = syntheticSeries();
    const broken = (error: Error): InstanceSource => ({
      ...good,
      name: 'broken',
      prefix: () => Promise.reject(error),
      read: () => Promise.reject(error),
    });
    const scan = await scanSources([good, broken(new SeriesError('changed-source', 'checksum'))]);
    expect(scan.refused).toMatchObject([{ name: 'broken', failure: { message: 'checksum' } }]);
    await expect(scanSources([good, broken(new TypeError('defect'))])).rejects.toThrow('defect');
  });

  it('an aborted scan or load stops with the reason of the abort', async () => {
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    await expect(scanSources(syntheticSeries(), { signal })).rejects.toThrow('no longer wanted');
    const assembly = assembleSeries((await scanSources(syntheticSeries())).series[0]);
    await expect(loadVolume(assembly, {}, { signal })).rejects.toThrow('no longer wanted');
  });

  it('a file that changed between scan and load is refused', async () => {
    const sources = syntheticSeries();
    const other = syntheticFiles({ rows: 4 })[3];
    let changed = false;
    const scan = await scanSources(
      sources.map((each, k) => ({ ...each, read: async () => (changed && k === 3 ? other : each.read()) })),
    );
    changed = true;
    await expect(loadVolume(assembleSeries(scan.series[0]))).rejects.toMatchObject({ kind: 'changed-source' });
  });

  it('a volume beyond the limit is refused before it is allocated', async () => {
    const assembly = assembleSeries((await scanSources(syntheticSeries())).series[0]);
    await expect(loadVolume(assembly, { maxBytes: 100 })).rejects.toMatchObject({ kind: 'too-large' });
  });
});
