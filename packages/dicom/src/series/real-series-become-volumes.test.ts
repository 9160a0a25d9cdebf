/** Promise: real series, with the traps that scanners and exporters set, give the voxels and the place that other people's readers give. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSources, readNifti } from '@isocenter/formats';
import { type Affine, composeAffines, invertAffine, spacingOf, type Volume } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { type AssembleOptions, assembleSeries } from './assemble.js';
import { chooseSeries } from './choose.js';
import { loadVolume } from './load.js';
import { type Scan, scanSources } from './scan.js';
import type { Series } from './series.js';

async function scanned<Result>(
  paths: string | readonly string[],
  use: (scan: Scan) => Promise<Result>,
): Promise<Result> {
  const opened = await Promise.all([paths].flat().map((path) => openSources(path)));
  try {
    return await use(await scanSources(opened.flatMap((each) => each.sources)));
  } finally {
    for (const each of opened) await each.close();
  }
}

function load(path: string, options?: AssembleOptions) {
  return scanned(path, async (scan) => {
    expect(scan.refused).toEqual([]);
    expect(scan.series).toHaveLength(1);
    return loadVolume(assembleSeries(scan.series[0], options));
  });
}

function range(data: ArrayLike<number>): readonly [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let n = 0; n < data.length; n++) {
    low = Math.min(low, data[n]);
    high = Math.max(high, data[n]);
  }
  return [low, high];
}

/** Largest differences of place (voxels of `ours`) and value, over all voxels of `theirs`, whatever its axes and flips. */
function compareInPatient(ours: Volume, theirs: Volume): { readonly place: number; readonly value: number } {
  const map: Affine = composeAffines(invertAffine(ours.affine), theirs.affine);
  const [ni, nj, nk] = theirs.size;
  const [mi, mj, mk] = ours.size;
  let place = 0;
  let value = 0;
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++)
      for (let i = 0; i < ni; i++) {
        const x = map[0] * i + map[1] * j + map[2] * k + map[3];
        const y = map[4] * i + map[5] * j + map[6] * k + map[7];
        const z = map[8] * i + map[9] * j + map[10] * k + map[11];
        const [a, b, c] = [Math.round(x), Math.round(y), Math.round(z)];
        place = Math.max(place, Math.abs(x - a), Math.abs(y - b), Math.abs(z - c));
        const inside = a >= 0 && b >= 0 && c >= 0 && a < mi && b < mj && c < mk;
        const own = inside ? ours.data[a + mi * (b + mj * c)] : Number.NaN;
        const difference = Math.abs(own - theirs.data[i + ni * (j + nj * k)]);
        value = difference <= value ? value : difference;
      }
  expect(ni * nj * nk).toBe(mi * mj * mk);
  return { place, value };
}

async function nifti(path: string): Promise<readonly Volume[]> {
  return (await readNifti(await readFile(path))).channels;
}

describeWithData('ct-rtstruct-lung1', 'LUNG1-001, a planning CT of 134 slices', (folder) => {
  it('is one axial series in HU with 3 mm between slices', async () => {
    const { volume, units, reference, findings } = await load(join(folder, 'LUNG1-001_CT_dicom.zip'));
    expect(volume.size).toEqual([512, 512, 134]);
    expect(volume.affine).toEqual([
      0.9765625, 0, 0, -249.51171875, 0, 0.9765625, 0, -460.51171875, 0, 0, 3, -681.5, 0, 0, 0, 1,
    ]);
    expect(volume.data).toBeInstanceOf(Int16Array);
    expect(range(volume.data)).toEqual([-1024, 3034]);
    expect(units).toBe('HU');
    expect(findings).toEqual([]);
    expect(new Set(reference.slices.map((slice) => slice.SOPInstanceUID)).size).toBe(134);
    expect(reference.slices[0].frameNumber).toBeUndefined();
  });

  it('keeps a structure set apart from the images', async () => {
    const paths = [join(folder, 'LUNG1-001_CT_dicom.zip'), join(folder, 'LUNG1-001_RS.dcm')];
    await scanned(paths, async (scan) => {
      expect(scan.series).toHaveLength(1);
      expect(scan.objects.map((object) => object.kind)).toEqual(['RTSTRUCT']);
      expect(scan.objects[0].StudyInstanceUID).toBe(scan.series[0].StudyInstanceUID);
    });
  });
});

describeWithData('ct-rtstruct-sts', 'STS series and the NIfTI images shipped with them', (folder) => {
  it.each([
    ['STS_002/CT', 'HU', 0],
    ['STS_002/MR_T1', 'arbitrary', 0],
    ['STS_002/PET', 'SUVbw', 1e-5],
    ['STS_003/CT', 'HU', 0],
    ['STS_003/PET', 'SUVbw', 1e-5],
  ])('%s: every voxel has the shipped value at the shipped place', async (name, unit, tolerance) => {
    const { volume, units } = await load(join(folder, `${name}_dicom.zip`));
    const [theirs] = await nifti(join(folder, `${name}_image.nii.gz`));
    const { place, value } = compareInPatient(volume, theirs);
    expect(place).toBeLessThan(0.01);
    expect(value).toBeLessThanOrEqual(tolerance);
    expect(units).toBe(unit);
    if (unit === 'SUVbw') expect(volume.data).toBeInstanceOf(Float32Array);
  });
});

describeWithData('ct-abdomen-totalsegmentator', 'a JPEG 2000 CT without file extensions or UIDs', (folder) => {
  it('is 20 slices 2 mm apart, though Slice Thickness says 3, on the grid of the shipped labels', async () => {
    const { volume, findings, reference } = await load(join(folder, 'example_ct_dicom.zip'));
    expect(volume.size).toEqual([512, 512, 20]);
    expect(spacingOf(volume.affine)).toEqual([0.9765625, 0.9765625, 2]);
    expect(volume.affine[11]).toBe(-804.5);
    expect(findings.map((finding) => finding.kind)).toEqual(['missing-uid']);
    // De-identified to nothing in the data set; the meta group still names the instance.
    expect(reference.slices[19].SOPInstanceUID).toBe('1.3.12.2.1107.5.1.4.60064.30000022120808113428000016573');
    const [labels] = await nifti(join(folder, 'example_seg_dicom.nii.gz'));
    expect(
      compareInPatient(
        { ...volume, data: new Uint8Array(volume.data.length) },
        { ...labels, data: new Uint8Array(labels.data.length) },
      ).place,
    ).toBeLessThan(0.01);
    // The liver (label 5) of a living person lies between water and dense tissue.
    const map = composeAffines(invertAffine(volume.affine), labels.affine);
    let sum = 0;
    let count = 0;
    labels.data.forEach((label, n) => {
      if (label !== 5) return;
      const [i, j, k] = [n % 512, Math.floor(n / 512) % 512, Math.floor(n / 512 / 512)];
      const at = [0, 4, 8].map((r) => Math.round(map[r] * i + map[r + 1] * j + map[r + 2] * k + map[r + 3]));
      sum += volume.data[at[0] + 512 * (at[1] + 512 * at[2])];
      count++;
    });
    expect(count).toBeGreaterThan(1000);
    expect(sum / count).toBeGreaterThan(20);
    expect(sum / count).toBeLessThan(200);
  });
});

describeWithData('mri-brain-tumour-multiseq', 'two oblique MR series of one patient', (folder) => {
  it('share one grid although their files are in another order', async () => {
    const post = await load(join(folder, 'PGBM-003_T1post.zip'));
    const flair = await load(join(folder, 'PGBM-003_FLAIR.zip'));
    expect(post.volume.size).toEqual([280, 320, 22]);
    expect(post.findings).toEqual([]);
    expect(spacingOf(post.volume.affine)[2]).toBeCloseTo(6.5, 3);
    flair.volume.affine.forEach((value, n) => {
      expect(value).toBeCloseTo(post.volume.affine[n], 6);
    });
    expect(range(post.volume.data)).toEqual([0, 2040]);
    expect(range(flair.volume.data)).toEqual([0, 1436]);
    expect(post.reference.FrameOfReferenceUID).toBe(flair.reference.FrameOfReferenceUID);
  });

  it('are two series of one scan; a model that wants one MR is told so', async () => {
    const paths = ['PGBM-003_T1post.zip', 'PGBM-003_FLAIR.zip'].map((name) => join(folder, name));
    await scanned(paths, async (scan) => {
      expect(scan.series).toHaveLength(2);
      expect(() => chooseSeries(scan, { modality: 'MR' })).toThrow(
        expect.objectContaining({ kind: 'ambiguous-series' }),
      );
      const first = chooseSeries(scan, { modality: 'MR', ties: 'first' });
      expect(first.assembly.series.number).toBe(1);
      expect(first.reasons[0]).toContain('first of 2');
      const named = chooseSeries(scan, { SeriesInstanceUID: scan.series[1].SeriesInstanceUID });
      expect(named.assembly.series.number).toBe(2);
    });
  });
});

describeWithData('dicom-stress/geometry', 'unusual geometry', (folder) => {
  it('flipped rows and columns: right-handed, with every slice', async () => {
    const { volume, findings } = await load(join(folder, 'flipped_orientation_ct.zip'));
    expect(volume.size).toEqual([88, 128, 17]);
    const rounded = volume.affine.map((value) => Number(value.toFixed(4)));
    expect(rounded).toEqual([-2, 0, 0, 82.1807, 0, -2, 0, 122.163, 0, 0, 2, -24.707, 0, 0, 0, 1]);
    expect(findings).toEqual([]);
  });

  it('a tilted gantry with two slice distances is refused with both named', async () => {
    await scanned(join(folder, 'gantry_tilt_variable_spacing_ge.zip'), async (scan) => {
      const { usable, findings } = assembleSeries(scan.series[0]);
      expect(usable).toBe(false);
      const spacing = findings.find((finding) => finding.kind === 'variable-spacing');
      expect(spacing).toMatchObject({ severity: 'refusal', where: '1.08 mm, 4 mm, 7 mm' });
    });
  });

  it('its longest even run loads with the shear of 18.5 degrees in the affine', async () => {
    const { volume, findings } = await load(join(folder, 'gantry_tilt_variable_spacing_ge.zip'), {
      irregular: 'longest-run',
    });
    expect(volume.size[2]).toBe(14);
    const [x, y, z] = [volume.affine[2], volume.affine[6], volume.affine[10]];
    expect([x, y, z].map((value) => Number(value.toFixed(4)))).toEqual([0, 0, 4.22]);
    const tilt = findings.find((finding) => finding.kind === 'gantry-tilt');
    expect(tilt?.message).toContain('18.5°');
    // GE marks what lies outside the circle of reconstruction.
    expect(range(volume.data)[0]).toBeLessThanOrEqual(-1024);
  });

  it('a slice sent twice under two UIDs is dropped, and the missing ones are counted', async () => {
    await scanned(join(folder, 'duplicate_and_missing_positions.zip'), async (scan) => {
      const { usable, findings, slices } = assembleSeries(scan.series[0]);
      expect(usable).toBe(false);
      expect(slices).toHaveLength(10);
      expect(findings.map((finding) => `${finding.kind} ${finding.severity}`)).toEqual([
        'duplicate note',
        'gap refusal',
      ]);
      expect(findings[1].message).toContain('distance of 2.5 mm');
    });
  });
});

describeWithData('dicom-stress/enhanced', 'enhanced multi-frame objects', (folder) => {
  it('four time points of Siemens XA10 become four volumes, voxel for voxel as dcm2niix converts them', async () => {
    const reference = await nifti(join(folder, 'siemens_xa10_reference.nii'));
    const paths = [3, 1, 4, 2].map((n) => join(folder, `siemens_xa10_6_${n}.dcm`));
    await scanned(paths, async (scan) => {
      expect(scan.series.map((series) => series.part?.label)).toEqual([1, 2, 3, 4].map((n) => `time point ${n}`));
      for (const [n, series] of scan.series.entries()) {
        const { volume, reference: images } = await loadVolume(assembleSeries(series));
        const { place, value } = compareInPatient(volume, reference[n]);
        expect(place).toBeLessThan(0.001);
        expect(value).toBe(0);
        expect(images.slices.map((slice) => slice.frameNumber)).toEqual([1, 2, 3, 4, 5, 6]);
      }
    });
  });

  it('an enhanced CT of two frames is rescaled by its functional groups', async () => {
    const { volume, reference } = await load(join(folder, 'eCT_Supplemental.dcm'));
    expect(volume.size.slice(0, 2)).toEqual([512, 512]);
    expect(volume.size[2] * 512 * 512).toBe(volume.data.length);
    expect(reference.SeriesInstanceUID).toBe('1.3.6.1.4.1.5962.1.3.10.3.1166562673.14401');
  });
});

describeWithData('dicom-transfer-syntax/mr-mosaic', 'a Siemens mosaic', (folder) => {
  it.each([1, 5, 9])('encoding %i is taken apart into 35 slices, voxel for voxel as dcm2niix does', async (n) => {
    const { volume } = await load(join(folder, `${n}.dcm`));
    expect(volume.size).toEqual([64, 64, 35]);
    const [theirs] = await nifti(join(folder, 'reference_1_to_9.nii'));
    const { place, value } = compareInPatient(volume, theirs);
    expect(place).toBeLessThan(0.001);
    expect(value).toBe(0);
  });
});

describeWithData('dicom-stress/dicomdir', 'a medium with several patients at once', (folder) => {
  const contents = (series: Series) =>
    `${series.Modality} ${series.frames.length}${series.localiser ? ' localiser' : ''}`;

  it('is sorted into series whatever the order of files; DICOMDIRs are listed and never followed', async () => {
    await scanned(join(folder, 'dicomdirtests.zip'), async (scan) => {
      const counts = new Map<string, number>();
      for (const series of scan.series) counts.set(contents(series), (counts.get(contents(series)) ?? 0) + 1);
      expect(Object.fromEntries([...counts].sort())).toMatchInlineSnapshot(`
        {
          "CR 1": 3,
          "CT 1 localiser": 2,
          "CT 4": 1,
          "CT 5": 1,
          "MR 1": 17,
        }
      `);
      expect(scan.objects.filter((object) => object.kind === 'DICOMDIR')).toHaveLength(8);
      expect(scan.objects.filter((object) => object.kind === 'NO-PIXELS')).toHaveLength(50);
      expect(scan.ignored.map((each) => each.name).sort()).toEqual(['README.txt', 'TINY_ALPHA/README']);
      expect(scan.refused).toEqual([]);
      expect(scan.series.map((series) => series.number)).toEqual(scan.series.map((_, n) => n + 1));
    });
  });

  it('the CT of most slices is chosen, with the reasons against the others', async () => {
    await scanned(join(folder, 'dicomdirtests.zip'), async (scan) => {
      const { assembly, reasons } = chooseSeries(scan, { modality: 'CT' });
      expect(assembly.slices).toHaveLength(5);
      expect(reasons).toContainEqual(expect.stringMatching(/cannot be used: \d+ slices are missing/));
      expect(reasons).toContainEqual(expect.stringMatching(/is MR, not CT/));
      const { volume } = await loadVolume(assembly);
      expect(volume.size).toEqual([16, 16, 5]);
      expect(volume.affine[10]).toBe(2.5);
    });
  });
});

describe('nothing', () => {
  it('is no series', async () => {
    const scan = await scanSources([]);
    expect(() => chooseSeries(scan)).toThrow(expect.objectContaining({ kind: 'no-series' }));
  });
});
