/** Clinical structure sets of other makers give the masks that were shipped with them, voxel for voxel. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  countedUIDs,
  readNifti,
  referenceFromFiles,
  testNow,
  testProvenance,
  unzip,
} from '../../../../tools/test/dicom-objects.js';
import { describeWithData } from '../../../../tools/test/needs.js';
import { parseDicom } from '../dataset/parse.js';
import { readRtstruct } from './read.js';
import { rtstructToSegmentation } from './to-segmentation.js';
import { writeRtstruct } from './write.js';

function differing(layer: ArrayLike<number>, label: number, mask: ArrayLike<number>): number {
  let count = 0;
  for (let n = 0; n < mask.length; n++) if ((layer[n] === label) !== (mask[n] !== 0)) count++;
  return count;
}

describeWithData('ct-rtstruct-lung1', 'the LUNG1 structure set (Varian, 358 contours)', (folder) => {
  it('fills exactly the four shipped masks', async () => {
    const reference = referenceFromFiles((await unzip(join(folder, 'LUNG1-001_CT_dicom.zip'))).map((f) => f.bytes));
    const set = readRtstruct(parseDicom(readFileSync(join(folder, 'LUNG1-001_RS.dcm'))));
    expect(set.rois.map((roi) => roi.name)).toEqual(['GTV-1', 'Spinal-Cord', 'Lung-Left', 'Lung-Right']);
    expect(set.rois.reduce((sum, roi) => sum + roi.contours.length, 0)).toBe(358);
    const { segmentation, findings } = rtstructToSegmentation(set, reference);
    const files = ['2_GTV-1', '6_Spinal-Cord', '7_Lung-Left', '8_Lung-Right'];
    const differences = segmentation.structures.map(({ layer, label }, n) => {
      const mask = readNifti(join(folder, `LUNG1-001_mask_${files[n]}.nii.gz`));
      return differing(segmentation.layers[layer].data, label, mask.data);
    });
    expect(differences).toEqual([0, 0, 0, 0]);
    expect(findings.filter((finding) => finding.kind !== 'overlap')).toEqual([]);
  });
});

describeWithData(
  'ct-rtstruct-sts',
  'the sarcoma structure sets (images re-exported, PET offset by 0.04 mm)',
  (folder) => {
    it.each([
      ['STS_002', 'CT', 17090],
      ['STS_002', 'MR_T1', 17090],
      ['STS_002', 'PET', 555],
      ['STS_003', 'CT', 25693],
      ['STS_003', 'PET', 817],
    ])(
      '%s %s fills exactly the shipped mask of %d voxels, and so do our contours of it',
      async (patient, modality, voxels) => {
        const path = (suffix: string): string => join(folder, patient, `${modality}_${suffix}`);
        const reference = referenceFromFiles((await unzip(path('dicom.zip'))).map((f) => f.bytes));
        const set = readRtstruct(parseDicom(readFileSync(path('RS.dcm'))));
        const { segmentation, findings } = rtstructToSegmentation(set, reference);
        expect(segmentation.structures).toHaveLength(1);
        const { data } = segmentation.layers[0];
        expect(Uint8Array.from(data).reduce((sum, value) => sum + value, 0)).toBe(voxels);
        expect(differing(data, 1, readNifti(path('mask.nii.gz')).data)).toBe(0);
        expect(findings.map((finding) => finding.kind)).toContain('images-differ');
        for (const holes of ['even-odd', 'keyhole', 'separate'] as const) {
          const options = { holes, provenance: testProvenance, now: testNow, uid: countedUIDs(holes) };
          const again = rtstructToSegmentation(
            readRtstruct(parseDicom(writeRtstruct(segmentation, reference, options))),
            reference,
          );
          expect(again.findings).toEqual([]);
          expect(Buffer.from(again.segmentation.layers[0].data).equals(Buffer.from(data))).toBe(true);
        }
        expect(findings.filter((finding) => finding.severity === 'refusal')).toEqual([]);
      },
    );
  },
);
