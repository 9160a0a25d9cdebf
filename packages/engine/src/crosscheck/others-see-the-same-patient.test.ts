/**
 * Promise: every voxel and every structure lies at the same place of the patient for SimpleITK, highdicom and pydicom as for
 * us, in each orientation. The expected places come from the image headers alone (PS3.3 C.7.6.2.1.1), computed in Python.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { uidFrom } from '@isocenter/dicom';
import { afterAll, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { convert } from '../convert/convert.js';
import type { PhantomOptions } from '../phantom/make-phantom.js';
import { makePhantomStudy } from '../phantom/phantom-study.js';

const CASES: readonly PhantomOptions[] = [
  { plane: 'axial' },
  { plane: 'axial', patientPosition: 'FFS' },
  { plane: 'axial', patientPosition: 'HFP' },
  { plane: 'axial', flipColumns: true, flipRows: true },
  { plane: 'sagittal', flipColumns: true },
  { plane: 'coronal' },
  { plane: 'axial', tilt: [12, -8, 5] },
];

/** Prints, per case: worst distance (mm) and value difference of images; wrong voxels and worst distance of structures. */
const SCRIPT = `
import glob, json, sys
import highdicom, numpy as np, pydicom, SimpleITK
index = lambda size: np.stack(np.meshgrid(*[np.arange(n) for n in size], indexing='ij'), -1).reshape(-1, 3)
def opened(path):
    image = SimpleITK.ReadImage(path)
    directions = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    return SimpleITK.GetArrayFromImage(image).transpose(2, 1, 0), directions, np.array(image.GetOrigin())
def case(folder):
    slices = [pydicom.dcmread(f) for f in glob.glob(folder + '/images/*.dcm')]
    distance = difference = 0.0
    for path in (glob.glob(folder + '/nifti/*.nii.gz') + glob.glob(folder + '/nrrd/*.nrrd')):
        voxels, directions, origin = opened(path)
        for d in slices:
            o = np.array(d.ImageOrientationPatient, float)
            at = index((d.Columns, d.Rows, 1))
            place = np.array(d.ImagePositionPatient, float) + at[:, :1] * float(d.PixelSpacing[1]) * o[:3] + at[:, 1:2] * float(d.PixelSpacing[0]) * o[3:]
            exact = (place - origin) @ np.linalg.inv(directions).T
            near = np.rint(exact).astype(int)
            distance = max(distance, np.abs((exact - near) @ directions.T).max())
            stored = d.pixel_array.T.reshape(-1) * float(d.get('RescaleSlope', 1)) + float(d.get('RescaleIntercept', 0))
            difference = max(difference, np.abs(voxels[tuple(near.T)] - stored).max())
    truth = {}
    labels = json.load(open(folder + '/truth/truth.labels.json'))['labels']
    for entry in labels:
        voxels, directions, origin = opened(folder + '/truth/' + entry['file'])
        truth[entry['name']] = (voxels == entry['label'], directions, origin)
    wrong = 0; structures = 0.0
    seg = highdicom.seg.segread(folder + '/truth/truth.seg.dcm')
    volume = seg.get_volume(combine_segments=False)
    for number in seg.segment_numbers:
        mask, directions, origin = truth[seg.get_segment_description(number).segment_label]
        found = np.argwhere(volume.array[..., number - 1] > 0) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
        if len(found) == 0:
            wrong += int(mask.sum())
            continue
        exact = (found - origin) @ np.linalg.inv(directions).T
        near = np.rint(exact).astype(int)
        structures = max(structures, np.abs((exact - near) @ directions.T).max())
        read = np.zeros(mask.shape, bool); read[tuple(near.T)] = True
        wrong += int((read != mask).sum())
    rt = pydicom.dcmread(folder + '/truth/truth.rtstruct.dcm')
    names = {r.ROINumber: r.ROIName for r in rt.StructureSetROISequence}
    o = np.array(slices[0].ImageOrientationPatient, float)
    contours = 0.0; centre = {}
    for roi in rt.ROIContourSequence:
        mask, directions, origin = truth[names[roi.ReferencedROINumber]]
        if 'ContourSequence' not in roi:
            wrong += int(mask.sum())
            continue
        area = 0.0; moment = np.zeros(3)
        for contour in roi.ContourSequence:
            p = np.array(contour.ContourData, float).reshape(-1, 3)
            x, y = p @ o[:3], p @ o[3:]; x1, y1 = np.roll(x, -1), np.roll(y, -1); c = x * y1 - x1 * y
            area += c.sum() / 2
            moment += o[:3] * ((x + x1) * c).sum() / 6 + o[3:] * ((y + y1) * c).sum() / 6 + np.cross(o[:3], o[3:]) * (p[0] @ np.cross(o[:3], o[3:])) * c.sum() / 2
        expected = (np.argwhere(mask) @ directions.T + origin).mean(0)
        contours = max(contours, np.abs(moment / area - expected).max())
        centre[names[roi.ReferencedROINumber]] = (moment / area).tolist()
    return dict(distance=distance, difference=float(difference), wrong=wrong, structures=structures, contours=contours, centre=centre)
print(json.dumps([case(folder) for folder in sys.argv[1:]]))
`;

interface Verdict {
  readonly distance: number;
  readonly difference: number;
  readonly wrong: number;
  readonly structures: number;
  readonly contours: number;
  readonly centre: Readonly<Record<string, readonly number[]>>;
}

const work = await mkdtemp(join(tmpdir(), 'isocenter-crosscheck-'));
afterAll(() => rm(work, { recursive: true, force: true }));

async function study(folder: string, options: PhantomOptions): Promise<void> {
  for (const { name, bytes } of await makePhantomStudy({ size: [48, 48, 40], spacing: [9, 9, 9], ...options }, '0')) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  let uids = 0;
  for (const format of ['nifti', 'nrrd'] as const)
    await convert(join(folder, 'images'), {
      format,
      out: join(folder, format),
      holes: 'keyhole',
      fill: 'even-odd',
      overwrite: false,
      now: new Date(0),
      uid: () => uidFrom(`crosscheck ${uids++}`),
      provenance: {
        modelName: 'convert',
        modelVersion: '0',
        weightsHash: '',
        configurationHash: '',
        runUID: '1.2.3',
        softwareVersion: '0',
      },
    });
}

describeWithPython(['SimpleITK', 'highdicom', 'pydicom', 'numpy'], 'SimpleITK, highdicom and pydicom', (python) => {
  it('find our images, SEG and RTSTRUCT where the headers say, and left on the left', async () => {
    const folders = CASES.map((_, n) => join(work, String(n)));
    for (const [n, folder] of folders.entries()) await study(folder, CASES[n]);
    const { stdout, stderr } = spawnSync(python, ['-c', SCRIPT, ...folders], { encoding: 'utf8' });
    if (!stdout) throw new Error(stderr.slice(-2000));
    const verdicts = JSON.parse(stdout) as Verdict[];
    for (const [n, verdict] of verdicts.entries()) {
      const { distance, difference, wrong, structures, contours, centre } = verdict;
      const where = JSON.stringify(CASES[n]);
      expect(distance, where).toBeLessThan(1e-3);
      expect(difference, where).toBe(0);
      expect(wrong, where).toBe(0);
      expect(structures, where).toBeLessThan(1e-3);
      expect(contours, where).toBeLessThan(5e-3);
      expect(centre.Lung_L[0], where).toBeGreaterThan(centre.Lung_R[0]);
    }
    expect(verdicts).toHaveLength(CASES.length);
  }, 60_000);
});
