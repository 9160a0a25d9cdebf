/** A clinical label map of 31 organs, on the grid of its JPEG 2000 series, comes back exactly from SEG and RTSTRUCT. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Grid,
  indexToPatient,
  invertAffine,
  makeVolume,
  type Segmentation,
  type Structure,
} from '@isocenter/volume';
import { beforeAll, expect, it } from 'vitest';
import {
  countedUIDs,
  dciodvfyErrors,
  readNifti,
  referenceFromFiles,
  testNow,
  testProvenance,
  unzip,
  withFolder,
} from '../../../../tools/test/dicom-objects.js';
import {
  describeWithData,
  describeWithPrograms,
  describeWithPython,
  repositoryRoot,
} from '../../../../tools/test/needs.js';
import { parseDicom } from '../dataset/parse.js';
import { readRtstruct } from '../rtstruct/read.js';
import { rtstructToSegmentation } from '../rtstruct/to-segmentation.js';
import { writeRtstruct } from '../rtstruct/write.js';
import type { ReferenceSeries } from '../series/reference.js';
import { readSeg } from './read.js';
import { segFractions, segToSegmentation } from './to-segmentation.js';
import { type SegType, writeSeg } from './write.js';

const options = (seed: string) => ({ provenance: testProvenance, now: testNow, uid: countedUIDs(seed) });

/** Labels at the voxel centres of `grid`, which must be those of the NIfTI file in another order. */
function onGrid(nifti: ReturnType<typeof readNifti>, grid: Grid): Uint8Array {
  const toNifti = invertAffine(nifti.affine);
  const [ni, nj, nk] = grid.size;
  /** Place in the file of a voxel of the grid; throws unless it is a voxel there. */
  const place = (i: number, j: number, k: number): number => {
    const p = indexToPatient(toNifti, ...indexToPatient(grid.affine, i, j, k));
    const q = p.map(Math.round);
    if (p.some((value, axis) => Math.abs(value - q[axis]) > 0.05)) throw new Error(`not on the grid: ${p}`);
    return q[0] + nifti.size[0] * (q[1] + nifti.size[1] * q[2]);
  };
  // The corners are checked; between them the axes run in steps.
  const origin = place(0, 0, 0);
  const steps = [place(1, 0, 0), place(0, 1, 0), place(0, 0, 1)].map((at) => at - origin);
  if (place(ni - 1, nj - 1, nk - 1) !== origin + (ni - 1) * steps[0] + (nj - 1) * steps[1] + (nk - 1) * steps[2])
    throw new Error('the axes do not run in steps');
  const out = new Uint8Array(ni * nj * nk);
  for (let k = 0, n = 0; k < nk; k++)
    for (let j = 0; j < nj; j++)
      for (let i = 0; i < ni; i++) out[n++] = nifti.data[origin + i * steps[0] + j * steps[1] + k * steps[2]];
  return out;
}

/** Structures with the SNOMED codes of TotalSegmentator's own table. */
function structuresOf(folder: string, labels: readonly number[]): Structure[] {
  const names = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')).total as Record<string, string>;
  const rows = readFileSync(join(folder, 'totalsegmentator_snomed_mapping.csv'), 'utf8')
    .split(/\r?\n/)
    .map((line) => line.split(','));
  return labels.map((label) => {
    const name = names[String(label)];
    const row = rows.find(([first]) => first === name);
    const code = (at: number) =>
      row?.[at + 1] ? { scheme: row[at], value: row[at + 1], meaning: row[at + 2] } : undefined;
    const [category, type, modifier] = [code(1), code(4), code(7)];
    return {
      name,
      colour: [label * 2, 255 - label, 40],
      interpretedType: 'ORGAN',
      ...(type ? { code: type } : {}),
      ...(category ? { category } : {}),
      ...(modifier ? { modifiers: [modifier] } : {}),
    };
  });
}

describeWithData('ct-abdomen-totalsegmentator', 'a label map of 31 organs on a JPEG 2000 series', (folder) => {
  let reference: ReferenceSeries;
  let segmentation: Segmentation;
  let data: Uint8Array;

  beforeAll(async () => {
    reference = referenceFromFiles((await unzip(join(folder, 'example_ct_dicom.zip'))).map((file) => file.bytes));
    const original = onGrid(readNifti(join(folder, 'example_seg_dicom.nii.gz')), reference.grid);
    const labels = [...new Set(original)].filter((label) => label > 0).sort((a, b) => a - b);
    // Labels 1 … 31 in the order of the original numbers, so that labels are segment numbers.
    const number = new Uint8Array(256);
    labels.forEach((label, n) => {
      number[label] = n + 1;
    });
    data = original.map((label) => number[label]);
    const structures = structuresOf(folder, labels).map((structure, n) => ({ ...structure, layer: 0, label: n + 1 }));
    const { size, affine } = reference.grid;
    segmentation = { kind: 'segmentation', grid: reference.grid, layers: [makeVolume(data, size, affine)], structures };
  });

  const differing = (other: ArrayLike<number>): number => {
    let count = 0;
    for (let n = 0; n < data.length; n++) if (data[n] !== other[n]) count++;
    return count;
  };

  it('has 31 structures, all with codes', () => {
    expect(segmentation.structures).toHaveLength(31);
    expect(segmentation.structures.every(({ code }) => code?.scheme === 'SCT')).toBe(true);
  });

  it.each(['binary', 'labelmap'] as const)('SEG %s gives the same voxels, names and codes', async (type) => {
    const bytes = writeSeg(segmentation, reference, { ...options(type), type });
    const seg = await readSeg(parseDicom(bytes));
    expect(seg.tolerances).toEqual([]);
    for (const on of [reference, undefined]) {
      const back = segToSegmentation(seg, on);
      expect(back.layers).toHaveLength(1);
      expect(differing(back.layers[0].data)).toBe(0);
      const told = ({ name, code, category, modifiers }: Structure) => ({ name, code, category, modifiers });
      expect(back.structures.map(told)).toEqual(segmentation.structures.map(told));
    }
  });

  it('SEG labelmap with RLE gives the same voxels from a tenth of the bytes', async () => {
    const plain = writeSeg(segmentation, reference, { ...options('r'), type: 'labelmap' });
    const bytes = writeSeg(segmentation, reference, { ...options('r'), type: 'labelmap', rle: true });
    expect(bytes.length).toBeLessThan(plain.length / 10);
    const back = segToSegmentation(await readSeg(parseDicom(bytes)), reference);
    expect(differing(back.layers[0].data)).toBe(0);
    const binary = { ...options('r'), type: 'binary', rle: true } as const;
    expect(() => writeSeg(segmentation, reference, binary)).toThrowError(
      expect.objectContaining({ kind: 'unsupported-pixels' }),
    );
  });

  it('refuses another grid, and overlapping structures as one label map', () => {
    const { size, affine } = reference.grid;
    const moved = { ...reference, grid: { size, affine: affine.map((value, n) => (n === 3 ? value + 1 : value)) } };
    const geometry = expect.objectContaining({ kind: 'geometry' });
    expect(() => writeSeg(segmentation, moved, { ...options('m'), type: 'binary' })).toThrowError(geometry);
    expect(() => writeRtstruct(segmentation, moved, { ...options('m'), holes: 'keyhole' })).toThrowError(geometry);
    const layers = [segmentation.layers[0], makeVolume(new Uint8Array(data.length), size, affine)];
    const structures = segmentation.structures.map((one, n) => (n === 0 ? { ...one, layer: 1 } : one));
    expect(() =>
      writeSeg({ ...segmentation, layers, structures }, reference, { ...options('m'), type: 'labelmap' }),
    ).toThrowError(expect.objectContaining({ kind: 'unsupported-object' }));
  });

  it.each(['even-odd', 'keyhole', 'separate'] as const)('RTSTRUCT %s gives the same voxels and codes', (holes) => {
    const set = readRtstruct(parseDicom(writeRtstruct(segmentation, reference, { ...options(holes), holes })));
    expect(set.tolerances).toEqual([]);
    const { segmentation: back, findings } = rtstructToSegmentation(set, reference);
    expect(findings).toEqual([]);
    expect(differing(back.layers[0].data)).toBe(0);
    expect(back.structures.map(({ name, code, colour }) => [name, code, colour])).toEqual(
      segmentation.structures.map(({ name, code, colour }) => [name, code, colour]),
    );
  });

  it('keeps fractions to half of 1/255', async () => {
    const { size, affine } = reference.grid;
    const structures = segmentation.structures.slice(0, 2);
    const fractions = structures.map(({ label }) => {
      const values = new Float32Array(data.length);
      for (let n = 0; n < data.length; n++) if (data[n] === label) values[n] = 0.5 + (n % 50) / 100;
      return makeVolume(values, size, affine);
    });
    const fractional = { ...options('f'), type: 'fractional', fractions } as const;
    const seg = await readSeg(parseDicom(writeSeg({ ...segmentation, structures }, reference, fractional)));
    fractions.forEach((written, s) => {
      const back = segFractions(seg, s + 1, reference).data;
      let worst = 0;
      for (let n = 0; n < back.length; n++) worst = Math.max(worst, Math.abs(back[n] - written.data[n]));
      expect(worst).toBeLessThanOrEqual(0.5 / 255 + 1e-6);
    });
    const binary = segToSegmentation(seg, reference).layers[0].data;
    let wrong = 0;
    for (let n = 0; n < data.length; n++) if (binary[n] !== (data[n] <= 2 ? data[n] : 0)) wrong++;
    expect(wrong).toBe(0);
  });

  describeWithPrograms(['dciodvfy'], 'dciodvfy', () => {
    it('finds no error in SEG and RTSTRUCT of the clinical series', () => {
      expect(dciodvfyErrors(writeSeg(segmentation, reference, { ...options('v'), type: 'binary' }))).toEqual([]);
      expect(dciodvfyErrors(writeRtstruct(segmentation, reference, { ...options('v'), holes: 'keyhole' }))).toEqual([]);
    });
  });

  describeWithPython(['pydicom', 'highdicom', 'numpy'], 'pydicom and highdicom', (python) => {
    it.each([
      ['binary', false],
      ['labelmap', false],
      ['labelmap', true],
    ] as const)('read our SEG %s with the same voxels (RLE: %s)', (type: SegType, rle: boolean) => {
      const found = withFolder((work) => {
        const [nj, ni, nk] = [reference.grid.size[1], reference.grid.size[0], reference.grid.size[2]];
        writeFileSync(join(work, 'labels.raw'), new Uint8Array(Uint16Array.from(data).buffer));
        writeFileSync(join(work, 'seg.dcm'), writeSeg(segmentation, reference, { ...options(type), type, rle }));
        const images = reference.slices.map(({ SOPInstanceUID }) => SOPInstanceUID);
        const map = { shape: [nk, nj, ni], file: join(work, 'labels.raw'), images };
        writeFileSync(join(work, 'map.json'), JSON.stringify(map));
        const script = join(repositoryRoot, 'tools/readers/seg_readers.py');
        const { stdout, stderr } = spawnSync(python, [script, join(work, 'seg.dcm'), join(work, 'map.json')], {
          encoding: 'utf8',
        });
        if (!stdout) throw new Error(stderr.slice(-2000));
        return JSON.parse(stdout);
      });
      expect(found).toEqual({ pydicom: 0, highdicom: 0 });
    });
  });
});
