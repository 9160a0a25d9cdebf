import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePng, readCsvRecords } from '@isocenter/formats';
import { makeVolume, type Segmentation } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { describeWithPrograms, describeWithPython } from '../../../../tools/test/needs.js';
import { encoderSuite } from './encoder.suite.js';
import { encoders, encodersFor } from './encoders.js';
import { drawOverlay } from './overlay/draw-overlay.js';
import { encodeOptions, phantomResult } from './result.suite.js';

const text = (bytes: Uint8Array, from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');
const dicom = (bytes: Uint8Array) => text(bytes, 128, 132) === 'DICM';

encoderSuite(encoders.rtstruct, { starts: dicom, holdsVoxels: true });
encoderSuite(encoders.seg, { starts: dicom, holdsVoxels: true });
encoderSuite(encoders.nifti, { starts: (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b, holdsVoxels: true });
encoderSuite(encoders.nrrd, { starts: (bytes) => text(bytes, 0, 4) === 'NRRD', holdsVoxels: true });
encoderSuite(encoders.png, { starts: (bytes) => text(bytes, 1, 4) === 'PNG', holdsVoxels: false });
encoderSuite(encoders.csv, { starts: (bytes) => text(bytes, 0, 9) === 'structure', holdsVoxels: false });
encoderSuite(encoders.sr, { starts: dicom, holdsVoxels: false });
encoderSuite(encoders.sc, { starts: dicom, holdsVoxels: false });
encoderSuite(encoders.masks, { starts: (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b, holdsVoxels: true });

describe('Formats', () => {
  it('are looked up by name, proofs before tables', () => {
    expect(encodersFor(['csv', 'png', 'rtstruct', 'csv']).map(({ format }) => format)).toEqual([
      'rtstruct',
      'csv',
      'png',
    ]);
  });

  it('that are not known are named with those that are', () => {
    expect(() => encodersFor(['pdf'])).toThrow(/pdf/);
    expect(() => encodersFor(['constructor'])).toThrow(/no output format/);
  });
});

describe('The table of volumes', () => {
  it('has a line per structure with voxels, volume, contours and mean', async () => {
    const result = await phantomResult();
    const [{ bytes }] = await encoders.csv.encode(result, encodeOptions());
    const rows = readCsvRecords(Buffer.from(bytes).toString());
    expect(rows.map((row) => row.structure)).toEqual(result.segmentation.structures.map(({ name }) => name));
    const lung = rows.find((row) => row.structure === 'Lung_L');
    expect(Number(lung?.volume_ml)).toBeGreaterThan(1500);
    expect(Number(lung?.mean_HU)).toBeLessThan(-650);
    expect(Number(lung?.contours)).toBeGreaterThan(5);
  });

  it('is harmless in a spreadsheet', async () => {
    const result = await phantomResult();
    const structures = result.segmentation.structures.map((structure) => ({ ...structure, name: '=1+1' }));
    const segmentation: Segmentation = { ...result.segmentation, structures };
    const [{ bytes }] = await encoders.csv.encode({ ...result, segmentation }, encodeOptions());
    expect(Buffer.from(bytes).toString()).not.toMatch(/^=/m);
  });
});

describe('The overlay picture', () => {
  it('shows outlines in the colours of the structures, sides and feet right', async () => {
    const result = await phantomResult({ size: [90, 80, 60], spacing: [4.4, 4.4, 6] });
    const [{ bytes }] = await encoders.png.encode(result, encodeOptions());
    const { width, data, channels } = decodePng(bytes);
    expect(channels).toBe(3);
    // The first axial tile: the left lung (blue outline) must be on the right half of the picture, as hung by radiologists.
    const isNear = (at: number, [r, g, b]: readonly number[]) =>
      Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 40;
    const count = (x0: number, x1: number, colour: readonly number[]) => {
      let n = 0;
      for (let y = 40; y < 360; y++) for (let x = x0; x < x1; x++) if (isNear(3 * (x + width * y), colour)) n++;
      return n;
    };
    const colourOf = (name: string) => result.segmentation.structures.find((s) => s.name === name)?.colour ?? [0, 0, 0];
    const tile = 384 * 3;
    expect(count(tile + 200, tile + 384, colourOf('Lung_L'))).toBeGreaterThan(30);
    expect(count(tile + 10, tile + 180, colourOf('Lung_L'))).toBe(0);
    expect(count(tile + 10, tile + 180, colourOf('Lung_R'))).toBeGreaterThan(30);
  });

  it('is drawn for any modality, also without a structure and for a single slice', async () => {
    const image = makeVolume(
      Float32Array.from({ length: 30 * 20 }, (_, n) => n % 17),
      [30, 20, 1],
      [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 0, 0, 0, 1],
    );
    const { size, affine } = image;
    const layers = [makeVolume(new Uint8Array(600), size, affine)];
    const segmentation: Segmentation = { kind: 'segmentation', grid: { size, affine }, layers, structures: [] };
    const raster = drawOverlay(image, segmentation, { modality: 'MR' });
    expect(raster.data.some((value) => value > 200)).toBe(true);
  });
});

describeWithPrograms(['dciodvfy'], 'dciodvfy finds no error', () => {
  for (const format of ['rtstruct', 'seg', 'sr', 'sc'] as const)
    it(`in ${format} of a tilted phantom`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'isocenter-encoders-'));
      try {
        const result = await phantomResult({ tilt: [5, 8, 3] });
        const [{ bytes }] = await encoders[format].encode(result, encodeOptions());
        writeFileSync(join(folder, 'object.dcm'), bytes);
        const { stdout, stderr } = spawnSync('dciodvfy', [join(folder, 'object.dcm')], { encoding: 'utf8' });
        expect(`${stdout}${stderr}`).not.toMatch(/^Error/m);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
});

describeWithPython(['SimpleITK'], 'SimpleITK reads the label maps', (python) => {
  it('of NIfTI and NRRD in one place in the patient', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-encoders-'));
    try {
      const result = await phantomResult({ plane: 'sagittal', tilt: [0, 6, 4] });
      const [nifti] = await encoders.nifti.encode(result, encodeOptions());
      const [nrrd] = await encoders.nrrd.encode(result, encodeOptions());
      for (const { name, bytes } of [nifti, nrrd]) writeFileSync(join(folder, name), bytes);
      const script = `
import SimpleITK as sitk, numpy as np, json, sys
a = sitk.ReadImage(sys.argv[1]); b = sitk.ReadImage(sys.argv[2])
v = sitk.GetArrayFromImage(b)
first = v[..., 0] if v.ndim == 4 else v
point = lambda im: [round(x, 2) for x in im.TransformContinuousIndexToPhysicalPoint([10.0, 20.0, 5.0][:3] if im.GetDimension() == 3 else [10.0, 20.0, 5.0, 0.0])][:3]
print(json.dumps({'same': bool((sitk.GetArrayFromImage(a) == first).all()), 'a': point(a), 'b': point(b), 'segments': sum(1 for k in b.GetMetaDataKeys() if k.endswith('_LabelValue'))}))`;
      const { stdout, stderr } = spawnSync(python, ['-c', script, join(folder, nifti.name), join(folder, nrrd.name)], {
        encoding: 'utf8',
      });
      expect(stderr).not.toMatch(/Traceback/);
      const said = JSON.parse(stdout);
      expect(said.same).toBe(true);
      expect(said.segments).toBe(result.segmentation.structures.length);
      said.a.forEach((value: number, axis: number) => {
        expect(Math.abs(value - said.b[axis])).toBeLessThan(0.02);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
