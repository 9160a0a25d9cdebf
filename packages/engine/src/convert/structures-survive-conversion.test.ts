import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uidFrom } from '@isocenter/dicom';
import { writeNrrd } from '@isocenter/formats';
import { makeVolume } from '@isocenter/volume';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { compareStructures } from '../compare/compare-segmentations.js';
import { openReference } from '../structures/open-reference.js';
import { readStructures } from '../structures/read-structures.js';
import { type ConvertOptions, convert } from './convert.js';

const work = await mkdtemp(join(tmpdir(), 'isocenter-convert-'));
afterAll(() => rm(work, { recursive: true, force: true }));

let uids = 0;
const options = (
  format: ConvertOptions['format'],
  out: string,
  more: Partial<ConvertOptions> = {},
): ConvertOptions => ({
  format,
  out: join(work, out),
  holes: 'keyhole',
  fill: 'even-odd',
  overwrite: false,
  now: new Date(0),
  uid: () => uidFrom(`test ${uids++}`),
  provenance: {
    modelName: 'convert',
    modelVersion: '0',
    weightsHash: '',
    configurationHash: '',
    runUID: '1.2.3',
    softwareVersion: '0',
  },
  ...more,
});

async function differences(a: string, b: string, images?: string): Promise<Record<string, number>> {
  const reference = images ? await openReference(images) : undefined;
  const { structures } = compareStructures(await readStructures(a), await readStructures(b), { reference });
  return Object.fromEntries(structures.map((row) => [row.a, row.voxels + row.referenceVoxels - 2 * row.voxelsInBoth]));
}

describeWithData('ct-rtstruct-lung1', 'a clinical RTSTRUCT of a thorax', (data) => {
  const images = join(data, 'LUNG1-001_CT_dicom.zip');
  const set = join(data, 'LUNG1-001_RS.dcm');

  it('becomes one proven NIfTI mask per structure, equal to the shipped masks voxel for voxel', async () => {
    const report = await convert(set, options('nifti', 'masks', { reference: images }));
    expect(report.proof?.exact).toBe(true);
    expect((await readdir(join(work, 'masks'))).sort()).toEqual([
      'GTV-1.nii.gz',
      'Lung-Left.nii.gz',
      'Lung-Right.nii.gz',
      'Spinal-Cord.nii.gz',
      'nifti.proof.json',
    ]);
    for (const [ours, shipped] of [
      ['GTV-1', '2_GTV-1'],
      ['Spinal-Cord', '6_Spinal-Cord'],
      ['Lung-Left', '7_Lung-Left'],
      ['Lung-Right', '8_Lung-Right'],
    ])
      expect(
        Object.values(
          await differences(join(work, 'masks', `${ours}.nii.gz`), join(data, `LUNG1-001_mask_${shipped}.nii.gz`)),
        ),
      ).toEqual([0]);
  });

  it('goes through SEG, masks and RTSTRUCT in every hole mode without losing a voxel', async () => {
    await convert(set, options('seg', 'seg', { reference: images }));
    await convert(join(work, 'seg'), options('nrrd', 'nrrd', { reference: images }));
    for (const holes of ['keyhole', 'even-odd', 'separate'] as const) {
      const { proof } = await convert(join(work, 'nrrd'), options('rtstruct', holes, { reference: images, holes }));
      expect(proof?.exact).toBe(true);
      const changed = await differences(join(work, holes, 'rtstruct.dcm'), set, images);
      expect(changed).toEqual({ 'GTV-1': 0, 'Spinal-Cord': 0, 'Lung-Left': 0, 'Lung-Right': 0 });
    }
  });

  it('is refused without images, and leaves nothing behind', async () => {
    await expect(convert(set, options('nifti', 'without'))).rejects.toMatchObject({ kind: 'needs-reference' });
    expect(await readdir(work)).not.toContain('without');
  });
});

describeWithData('ct-rtstruct-sts', 'contours whose references name other images', (data) => {
  for (const [patient, kind] of [
    ['STS_002', 'CT'],
    ['STS_002', 'MR_T1'],
    ['STS_002', 'PET'],
    ['STS_003', 'CT'],
    ['STS_003', 'PET'],
  ])
    it(`give the shipped mask for ${patient} ${kind}`, async () => {
      const file = (name: string) => join(data, patient, `${kind}_${name}`);
      const changed = await differences(file('RS.dcm'), file('mask.nii.gz'), file('dicom.zip'));
      expect(Object.values(changed)).toEqual([0]);
    });
});

describeWithData('ct-abdomen-totalsegmentator', 'a label map of 31 organs on a JPEG 2000 series', (data) => {
  const images = join(data, 'example_ct_dicom.zip');
  const labels = join(data, 'example_seg_dicom.nii.gz');
  for (const format of ['seg', 'rtstruct'] as const)
    it(`goes to ${format} and back without losing a voxel of any structure`, async () => {
      const { proof } = await convert(labels, options(format, `abdomen-${format}`, { reference: images }));
      expect(proof?.exact).toBe(true);
      expect(proof?.structures).toHaveLength(31);
      const changed = await differences(join(work, `abdomen-${format}`), labels, images);
      expect(Object.values(changed)).toEqual(new Array(31).fill(0));
    });
});

describeWithData('dicom-stress/geometry', 'structures on a tilted series of uneven slices', (data) => {
  const images = join(data, 'gantry_tilt_variable_spacing_ge.zip');

  it('lie on its longest even run when that is asked for, and go to RTSTRUCT and back', async () => {
    const irregular = 'longest-run' as const;
    await expect(convert(images, options('nifti', 'tilt-refused'))).rejects.toMatchObject({ kind: 'unusable-series' });
    await convert(images, options('nifti', 'tilt-image', { irregular }));
    const { grid } = await openReference(images, { irregular });
    const mask = new Uint8Array(grid.size[0] * grid.size[1] * grid.size[2]);
    for (let k = 2; k < 6; k++)
      for (let j = 200; j < 300; j++)
        for (let i = 150; i < 260; i++) mask[i + grid.size[0] * (j + grid.size[1] * k)] = 1;
    await writeFile(join(work, 'Box on the left.nrrd'), await writeNrrd(makeVolume(mask, grid.size, grid.affine)));
    const { proof } = await convert(
      join(work, 'Box on the left.nrrd'),
      options('rtstruct', 'tilt-set', { reference: images, irregular }),
    );
    expect(proof?.structures).toMatchObject([{ name: 'Box on the left', voxels: 4 * 100 * 110, missing: 0, extra: 0 }]);
    await convert(join(work, 'tilt-set'), options('nrrd', 'tilt-back', { reference: images, irregular }));
    expect(
      await differences(join(work, 'tilt-back', 'Box_on_the_left.nrrd'), join(work, 'Box on the left.nrrd')),
    ).toEqual({ 'Box on the left': 0 });
  });
});

describe('an image', () => {
  it('cannot become an RTSTRUCT, and the message says what can', async () => {
    const path = join(work, 'no.txt');
    await writeFile(path, 'nothing of the kind');
    await expect(convert(path, options('rtstruct', 'x'))).rejects.toMatchObject({ kind: 'no-structures' });
  });
});
