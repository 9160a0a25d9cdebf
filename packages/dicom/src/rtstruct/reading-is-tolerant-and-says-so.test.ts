/** Structure sets that break the standard are read as far as they can be; each liberty and each loss is named. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { affineFrom } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { orientations, paperReference } from '../../../../tools/test/dicom-objects.js';
import { describeWithData } from '../../../../tools/test/needs.js';
import { Dataset } from '../dataset/dataset.js';
import { parseDicom } from '../dataset/parse.js';
import { readRtstruct } from './read.js';
import { type FillOptions, rtstructToSegmentation } from './to-segmentation.js';

const reference = paperReference([20, 20, 6], affineFrom(orientations.axial, [1, 1, 2], [0, 0, 0]));

/** Corners of a square in the plane z, from (a, a) to (b, b), between pixel centres. */
const square = (a: number, b: number, z: number): number[] =>
  [a, a, z, b, a, z, b, b, z, a, b, z].map((v, n) => (n % 3 === 2 ? v : v - 0.5));

interface ContourSpec {
  readonly data: readonly number[] | string;
  readonly type?: string;
  readonly count?: number;
}

function contour({ data, type = 'CLOSED_PLANAR', count }: ContourSpec): Dataset {
  const bytes = new Uint8Array(Buffer.from(typeof data === 'string' ? data : data.join('\\')));
  const item = new Dataset()
    .set('ContourData', bytes)
    .set('NumberOfContourPoints', count ?? Math.floor(data.length / 3));
  return type ? item.set('ContourGeometricType', type) : item;
}

function structureSet(rois: readonly (readonly ContourSpec[])[], edit?: (dataset: Dataset) => void): Dataset {
  const dataset = new Dataset().set('Modality', 'RTSTRUCT');
  const numbered = (n: number) => new Dataset().set('ReferencedROINumber', n + 1);
  dataset.set(
    'StructureSetROISequence',
    rois.map((_, n) => new Dataset().set('ROINumber', n + 1).set('ROIName', `R${n + 1}`)),
  );
  dataset.set(
    'ROIContourSequence',
    rois.map((contours, n) => numbered(n).set('ContourSequence', contours.map(contour))),
  );
  dataset.set(
    'RTROIObservationsSequence',
    rois.map((_, n) => numbered(n).set('RTROIInterpretedType', 'ORGAN')),
  );
  edit?.(dataset);
  return dataset;
}

const read = (dataset: Dataset) => readRtstruct({ dataset });
const kinds = (dataset: Dataset): string[] => read(dataset).tolerances.map(({ kind }) => kind);

function fill(rois: readonly (readonly ContourSpec[])[], options?: FillOptions) {
  const { segmentation, findings } = rtstructToSegmentation(read(structureSet(rois)), reference, options);
  const voxels = segmentation.structures.map(
    ({ layer, label }) => segmentation.layers[layer].data.filter((v) => v === label).length,
  );
  return {
    voxels,
    layers: segmentation.layers.length,
    findings: findings.map(({ kind, severity, count }) => `${severity} ${kind} ${count}`),
  };
}

describe('reading', () => {
  it('takes a proper set without any tolerance', () => {
    expect(read(structureSet([[{ data: square(2, 6, 4) }]])).tolerances).toEqual([]);
  });
  it('believes the points, not their number', () => {
    const dataset = structureSet([[{ data: square(2, 6, 4), count: 77 }]]);
    expect(kinds(dataset)).toEqual(['wrong-point-count']);
    expect(read(dataset).rois[0].contours[0].points).toHaveLength(12);
  });
  it('drops half a point, an empty contour and letters, and keeps the rest', () => {
    const dataset = structureSet([
      [{ data: [...square(2, 6, 4), 1] }, { data: '' }, { data: '1\\x\\3' }, { data: square(1, 3, 2) }],
    ]);
    expect(kinds(dataset).sort()).toEqual(['empty-contour-data', 'incomplete-point', 'unreadable-contour-data']);
    expect(read(dataset).rois[0].contours).toHaveLength(2);
  });
  it('makes up ROIs that only contours speak of, and observations that are missing', () => {
    const dataset = structureSet([[{ data: square(2, 6, 4) }]], (d) => {
      d.delete('StructureSetROISequence').delete('RTROIObservationsSequence');
    });
    expect(kinds(dataset).sort()).toEqual(['missing-observation', 'missing-roi-name', 'unlisted-roi']);
    expect(read(dataset).rois.map(({ name }) => name)).toEqual(['ROI 1']);
  });
  it('keeps ROIs without contours', () => {
    const dataset = structureSet([[]], (d) => d.delete('ROIContourSequence'));
    expect(read(dataset).rois[0].contours).toEqual([]);
  });
  it('refuses an object that is something else', () => {
    expect(() => read(new Dataset().set('Modality', 'CT'))).toThrowError(
      expect.objectContaining({ kind: 'unsupported-object' }),
    );
  });
});

describe('filling', () => {
  it('cuts a ring in a ring out, and fills it by the rule union', () => {
    const rings = [[{ data: square(2, 10, 4) }, { data: square(4, 6, 4) }]];
    expect(fill(rings).voxels).toEqual([60]);
    expect(fill(rings, { fill: 'union' }).voxels).toEqual([64]);
  });
  it('takes the explicit XOR type of the standard as even-odd', () => {
    const type = 'CLOSEDPLANAR_XOR';
    expect(
      fill([
        [
          { data: square(2, 10, 4), type },
          { data: square(4, 6, 4), type },
        ],
      ]).voxels,
    ).toEqual([60]);
  });
  it('follows a keyhole contour through its channel', () => {
    const [a, b] = [square(2, 10, 4), square(4, 6, 4)];
    // Outer ring, along the channel to the hole, round it the other way, and back.
    const hole = [b.slice(0, 3), b.slice(9, 12), b.slice(6, 9), b.slice(3, 6), b.slice(0, 3)].flat();
    expect(fill([[{ data: [...a, ...a.slice(0, 3), ...hole] }]]).voxels).toEqual([60]);
  });
  it('skips points and lines, and says so', () => {
    const specs = [
      { data: [1, 1, 4], type: 'POINT' },
      { data: square(1, 3, 4), type: 'OPEN_PLANAR' },
      { data: square(1, 3, 4) },
    ];
    expect(fill([specs])).toEqual({ voxels: [4], layers: 1, findings: ['note not-closed 2'] });
  });
  it('puts contours between slices on the nearest one, and says so', () => {
    expect(fill([[{ data: square(1, 3, 4.6) }]])).toEqual({ voxels: [4], layers: 1, findings: ['note off-plane 1'] });
    expect(fill([[{ data: square(1, 3, 4.005) }]]).findings).toEqual([]);
  });
  it('leaves out contours more than half a slice outside', () => {
    expect(fill([[{ data: square(1, 3, 11.5) }, { data: square(1, 3, -0.9) }]])).toEqual({
      voxels: [4],
      layers: 1,
      findings: ['warning outside-slices 1', 'note off-plane 1'],
    });
  });
  it('refuses contours that are not parallel to the slices', () => {
    const tilted = square(1, 5, 4).map((value, n) => (n === 5 || n === 8 ? 6 : value));
    const { voxels, findings } = fill([[{ data: tilted }, { data: square(1, 3, 4) }]]);
    expect(voxels).toEqual([4]);
    expect(findings).toEqual(['refusal not-parallel 1']);
  });
  it('leaves out contours with points that no scanner reaches', () => {
    const far = (value: number) => ({ data: [...square(1, 3, 4), value, 1, 4] });
    const { voxels, findings } = fill([[far(1e12), { data: square(1, 3, 4) }]]);
    expect([voxels, findings]).toEqual([[4], ['warning too-far 1']]);
  });
  it('does not mix contours of neighbouring planes in one slice', () => {
    const { voxels, findings } = fill([
      [{ data: square(1, 5, 4) }, { data: square(1, 5, 4.5) }, { data: square(1, 5, 3.5) }],
    ]);
    expect(voxels).toEqual([16]);
    expect(findings).toContain('warning several-planes 1');
  });
  it('puts structures that overlap into layers', () => {
    const { voxels, layers, findings } = fill([
      [{ data: square(1, 5, 4) }],
      [{ data: square(3, 7, 4) }],
      [{ data: square(8, 9, 4) }],
    ]);
    expect([voxels, layers, findings]).toEqual([[16, 16, 1], 2, ['note overlap 1']]);
  });
  it('warns of another frame of reference', () => {
    const dataset = structureSet([[{ data: square(1, 5, 4) }]], (d) => {
      d.items('StructureSetROISequence')[0].set('ReferencedFrameOfReferenceUID', '1.2.3');
    });
    const { findings } = rtstructToSegmentation(read(dataset), reference);
    expect(findings.map(({ kind }) => kind)).toEqual(['frame-of-reference-differs']);
  });
});

describeWithData('dicom-stress/rt', 'structure sets of other makers', (folder) => {
  const open = (name: string) => readRtstruct(parseDicom(readFileSync(join(folder, name))));

  it('reads a small one with points', () => {
    const { rois } = open('rtstruct.dcm');
    expect(rois.map(({ name }) => name)).toEqual(['patient', 'Isocenter 1', 'Isocenter 2']);
    expect(rois.map(({ contours }) => contours[0]?.geometricType)).toEqual(['CLOSED_PLANAR', 'POINT', 'POINT']);
  });
  it('reads a clinical one of 1.9 MB', () => {
    const { rois } = open('dicompyler_rtss.dcm');
    expect(rois.length).toBeGreaterThan(5);
    const points = rois.reduce((sum, roi) => sum + roi.contours.reduce((n, c) => n + c.points.length / 3, 0), 0);
    expect(points).toBeGreaterThan(50_000);
    for (const roi of rois) for (const { points: p } of roi.contours) expect(p.every(Number.isFinite)).toBe(true);
  });
});
