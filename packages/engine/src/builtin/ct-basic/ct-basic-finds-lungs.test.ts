import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assembleSeries, loadVolume } from '@isocenter/dicom';
import { readNifti } from '@isocenter/formats';
import { IDENTITY_AFFINE, makeVolume, type Volume } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../../tools/test/needs.js';
import { openStudy } from '../../intake/open-study.js';
import { drawPhantom, type PhantomOptions } from '../../phantom/make-phantom.js';
import { CT_BASIC_LABELS, ctBasic } from './ct-basic.js';

/** Dice of `mask === label` against `truth === truthLabel`; NaN when both are empty. */
function dice(mask: ArrayLike<number>, label: number, truth: ArrayLike<number>, truthLabel: number): number {
  let [a, b, both] = [0, 0, 0];
  for (let n = 0; n < mask.length; n++) {
    const inside = mask[n] === label;
    const wanted = truth[n] === truthLabel;
    if (inside) a++;
    if (wanted) b++;
    if (inside && wanted) both++;
  }
  return (2 * both) / (a + b);
}

const count = (data: ArrayLike<number>, label: number) =>
  Array.from(data).reduce((sum, value) => sum + (value === label ? 1 : 0), 0);
const { body, lungLeft, lungRight, bone } = CT_BASIC_LABELS;

async function dicomVolume(path: string): Promise<Volume> {
  const study = await openStudy(path);
  try {
    if (study.kind !== 'dicom') throw new Error('not DICOM');
    return (await loadVolume(assembleSeries(study.scan.series[0]))).volume;
  } finally {
    await study.close();
  }
}

const AXIAL = { size: [180, 150, 90], spacing: [2.3, 2.3, 4.2] } as const;
const SIDE = { size: [140, 170, 150], spacing: [2.3, 2.3, 2.8] } as const;
const orientations: Record<string, PhantomOptions> = {
  axial: AXIAL,
  sagittal: { ...SIDE, plane: 'sagittal' },
  coronal: { ...SIDE, size: [170, 170, 120], plane: 'coronal' },
  oblique: { ...AXIAL, tilt: [14, -9, 17] },
  'flipped columns': { ...AXIAL, flipColumns: true },
  'flipped sagittal': { ...SIDE, plane: 'sagittal', flipRows: true },
  prone: { ...AXIAL, patientPosition: 'HFP' },
  'thick slices': { size: [256, 220, 40], spacing: [1.6, 1.6, 9.5] },
  'another seed': { ...AXIAL, seed: 'another' },
};

describe('ct-basic finds the phantom in every orientation', () => {
  for (const [name, options] of Object.entries(orientations))
    it(name, () => {
      const { volume, segmentation } = drawPhantom(options);
      const found = ctBasic(volume);
      const truth = segmentation.layers[1].data;
      const scores = {
        left: dice(found.organs, lungLeft, truth, 1),
        right: dice(found.organs, lungRight, truth, 2),
        body: dice(found.body, body, segmentation.layers[0].data, 1),
        bone: dice(found.organs, bone, truth, 3),
      };
      expect(scores.left, JSON.stringify(scores)).toBeGreaterThan(0.97);
      expect(scores.right, JSON.stringify(scores)).toBeGreaterThan(0.97);
      expect(scores.body, JSON.stringify(scores)).toBeGreaterThan(0.98);
      expect(scores.bone, JSON.stringify(scores)).toBeGreaterThan(0.75);
    });
});

describe('ct-basic says nothing where nothing is', () => {
  it('in air', () => {
    const air = makeVolume(
      new Int16Array(40 * 40 * 10).fill(-1000),
      [40, 40, 10],
      [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1],
    );
    const { body: outline, organs } = ctBasic(air);
    expect(count(outline, 1)).toBe(0);
    expect(organs.every((label) => label === 0)).toBe(true);
  });

  it('in a single voxel, a single slice and a single row', () => {
    for (const size of [
      [1, 1, 1],
      [64, 64, 1],
      [64, 1, 1],
    ] as const) {
      const data = new Int16Array(size[0] * size[1] * size[2]).fill(40);
      expect(() => ctBasic(makeVolume(data, size, IDENTITY_AFFINE))).not.toThrow();
    }
  });

  it('of lungs in an abdomen below them', () => {
    const { volume } = drawPhantom({ size: [150, 120, 16], spacing: [2.8, 2.8, 5], centre: [0, 16, -250] });
    const { body: outline, organs } = ctBasic(volume);
    expect(count(outline, 1)).toBeGreaterThan(100_000);
    expect(count(organs, lungLeft) + count(organs, lungRight)).toBe(0);
  });

  it('and stops when it is told to', () => {
    const { volume } = drawPhantom({ size: [32, 32, 16], spacing: [14, 14, 24] });
    expect(() => ctBasic(volume, { signal: AbortSignal.abort() })).toThrow();
  });
});

describeWithData('ct-rtstruct-lung1', 'ct-basic against the clinical lungs of LUNG1-001', (path) => {
  it('reaches Dice 0.94 in each lung, on the left beside a tumour', async () => {
    const volume = await dicomVolume(join(path, 'LUNG1-001_CT_dicom.zip'));
    const { organs } = ctBasic(volume);
    for (const [file, label] of [
      ['LUNG1-001_mask_7_Lung-Left.nii.gz', lungLeft],
      ['LUNG1-001_mask_8_Lung-Right.nii.gz', lungRight],
    ] as const) {
      const truth = (await readNifti(await readFile(join(path, file)))).channels[0];
      expect(truth.size).toEqual(volume.size);
      expect(dice(organs, label, truth.data, 1), file).toBeGreaterThan(0.965);
    }
  });
});

describeWithData('ct-abdomen-totalsegmentator', 'ct-basic on CT of the trunk', (path) => {
  it('outlines the body on 3 mm voxels, with both lungs where they are', async () => {
    const volume = (await readNifti(await readFile(join(path, 'example_ct.nii.gz')))).channels[0];
    const { body: outline, organs } = ctBasic(volume);
    const voxels = volume.data.length;
    expect(count(outline, 1) / voxels).toBeGreaterThan(0.2);
    expect(count(organs, bone)).toBeGreaterThan(5000);
  });

  it('takes no gas of the bowel for lung in the JPEG 2000 series', async () => {
    const volume = await dicomVolume(join(path, 'example_ct_dicom.zip'));
    const { body: outline, organs } = ctBasic(volume);
    const labels = (await readNifti(await readFile(join(path, 'example_seg_dicom.nii.gz')))).channels[0];
    expect(labels.size).toEqual(volume.size);
    expect(count(outline, 1) / volume.data.length).toBeGreaterThan(0.15);
    expect(count(organs, lungLeft) + count(organs, lungRight)).toBe(0);
  });
});

describeWithData('ct-rtstruct-sts', 'ct-basic on cropped CT', (path) => {
  for (const patient of ['STS_002', 'STS_003'])
    it(`${patient}: a body, and no lungs in a limb`, async () => {
      const volume = await dicomVolume(join(path, patient, 'CT_dicom.zip'));
      const { body: outline, organs } = ctBasic(volume);
      expect(count(outline, 1)).toBeGreaterThan(0);
      expect(count(organs, lungLeft) + count(organs, lungRight)).toBe(0);
    });
});
