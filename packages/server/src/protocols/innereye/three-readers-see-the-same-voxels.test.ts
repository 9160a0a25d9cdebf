/**
 * The contours that a client fetched, read by programs that are not ours: the voxels of each structure are those of the rule in
 * specs/protocols.md 1.9, computed here a second time.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDicom, readRtstruct, rtstructToSegmentation } from '@isocenter/dicom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceFromFiles } from '../../../../../tools/test/dicom-objects.js';
import { describeWithPrograms, describeWithPython, repositoryRoot } from '../../../../../tools/test/needs.js';
import { type Entry, entriesOf, type InnerEyeServer, innereyeServer, phantom, zipOf } from './innereye.suite.js';

const NAMES = ['SpinalCord', 'Lung_R', 'Lung_L', 'Heart', 'Esophagus'];
const SIDE = 40;
const SLICES = 5;
const SCRIPT = join(repositoryRoot, 'tools/readers/rtstruct_readers.py');

const folder = mkdtempSync(join(tmpdir(), 'innereye-readers-'));
const images = join(folder, 'images');
const rtstruct = join(folder, 'segmentation.dcm');
let server: InnerEyeServer;
let files: readonly Entry[];
let contours: Uint8Array;

/** Ring k, 1 to 5: pixels whose distance from the middle, by the larger axis, is 3(k-1) to 3k-1. */
function ring(k: number): Uint8Array {
  const away = (i: number) => Math.floor(Math.abs(2 * i + 1 - SIDE) / 2);
  const mask = new Uint8Array(SIDE * SIDE * SLICES);
  for (let at = 0; at < mask.length; at++) {
    const distance = Math.max(away(at % SIDE), away(Math.floor(at / SIDE) % SIDE));
    mask[at] = distance >= 3 * (k - 1) && distance < 3 * k ? 1 : 0;
  }
  return mask;
}

beforeAll(async () => {
  server = await innereyeServer();
  files = await phantom({ size: [SIDE, SIDE, SLICES], spacing: [9, 9, 30] });
  const answer = await server.ended(await server.start(await zipOf(files)));
  if (answer.status !== 200) throw new Error(answer.body.toString());
  contours = (await entriesOf(answer.body))[0]!.bytes;
  mkdirSync(images);
  for (const [n, { bytes }] of files.entries()) writeFileSync(join(images, `${n}.dcm`), bytes);
  writeFileSync(rtstruct, contours);
  const masks = Object.fromEntries(NAMES.map((name) => [name, join(folder, `${name}.raw`)]));
  for (const [n, name] of NAMES.entries()) writeFileSync(masks[name] as string, ring(n + 1));
  writeFileSync(join(folder, 'masks.json'), JSON.stringify({ shape: [SLICES, SIDE, SIDE], masks }));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('our reader', () => {
  it('sees the rings', () => {
    const { grid } = referenceFromFiles(files.map((file) => file.bytes));
    const { segmentation } = rtstructToSegmentation(readRtstruct(parseDicom(contours)), grid);
    for (const [n, { name, layer, label }] of segmentation.structures.entries()) {
      expect(name).toBe(NAMES[n]);
      const mask = Uint8Array.from(segmentation.layers[layer]!.data, (value) => (value === label ? 1 : 0));
      expect(Buffer.compare(mask, ring(n + 1)), name).toBe(0);
    }
  });
});

function seenBy(python: string, reader: string): void {
  const { stdout, stderr, status } = spawnSync(python, [SCRIPT, reader, rtstruct, images, join(folder, 'masks.json')], {
    encoding: 'utf8',
  });
  expect(status, stderr.slice(-2000)).toBe(0);
  const counts = JSON.parse(stdout) as Record<string, { voxels: number; missing: number; extra: number }>;
  for (const [n, name] of NAMES.entries())
    expect([name, counts[name]]).toEqual([name, { voxels: 36 * (2 * n + 1) * SLICES, missing: 0, extra: 0 }]);
}

describeWithPython(['pydicom', 'numpy'], 'pydicom and a plain filler', (python) => {
  it('see the rings', () => seenBy(python, 'pydicom and a plain even-odd filler'));
});
describeWithPython(['pydicom', 'numpy', 'SimpleITK'], 'with SimpleITK', (python) => {
  describeWithPrograms(['plastimatch'], 'plastimatch', () => {
    it('sees the rings', () => seenBy(python, 'plastimatch --xor-contours'));
  });
});
describeWithPython(['dcmrtstruct2nii', 'SimpleITK'], 'dcmrtstruct2nii', (python) => {
  it('sees the rings', () => seenBy(python, 'dcmrtstruct2nii'));
});
