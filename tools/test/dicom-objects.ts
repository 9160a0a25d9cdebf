/**
 * What the tests of the DICOM object writers share: reference series made from headers alone or from nothing, masks from
 * NIfTI files, and the verdicts of other people's programs. Slow and plain on purpose; no product code uses it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type Affine,
  affineFrom,
  cross,
  dot,
  indexToPatient,
  invertAffine,
  type Size3,
  type Vector3,
} from '@isocenter/volume';
import * as yauzl from 'yauzl';
import { Dataset } from '../../packages/dicom/src/dataset/dataset.js';
import { parseDicom } from '../../packages/dicom/src/dataset/parse.js';
import { uidFrom } from '../../packages/dicom/src/dataset/uid.js';
import type { Provenance } from '../../packages/dicom/src/iod/provenance.js';
import type { ReferenceSeries } from '../../packages/dicom/src/series/reference.js';

export const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';

export const testProvenance: Provenance = {
  modelName: 'ct-test',
  modelVersion: '1.2.0',
  weightsHash: 'ab'.repeat(32),
  configurationHash: 'cd'.repeat(32),
  runUID: '2.25.329800735698586629295641978511506172918',
  softwareVersion: '0.1.0',
  codeVersion: '0123abc',
};
export const testNow = new Date(2026, 1, 3, 4, 5, 6);

/** The same UIDs in the same order at every run. */
export function countedUIDs(seed = 'test'): () => string {
  let n = 0;
  return () => uidFrom(`${seed} ${n++}`);
}

/** Names and bytes of the files in a zip. */
export async function unzip(path: string): Promise<{ name: string; bytes: Uint8Array }[]> {
  const zip = await yauzl.openPromise(path);
  const files: { name: string; bytes: Uint8Array }[] = [];
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    files.push({ name: entry.fileName, bytes: new Uint8Array(Buffer.concat(chunks)) });
  }
  return files;
}

/** A reference series of classic single-frame images, from their headers; slices by position along the normal. */
export function referenceFromFiles(files: readonly Uint8Array[]): ReferenceSeries {
  const images = files.map((bytes) => {
    // Some anonymisers empty these UIDs in the data set and leave them in the meta group.
    const { dataset, meta } = parseDicom(bytes, { untilPixelData: true });
    for (const name of ['SOPClassUID', 'SOPInstanceUID'] as const)
      if (!dataset.string(name)) dataset.set(name, meta.string(`MediaStorage${name}`));
    return dataset;
  });
  const cosines = images[0].numbers('ImageOrientationPatient');
  const row = cosines.slice(0, 3) as unknown as Vector3;
  const column = cosines.slice(3) as unknown as Vector3;
  const normal = cross(row, column);
  const position = (image: Dataset): Vector3 => image.numbers('ImagePositionPatient') as unknown as Vector3;
  images.sort((a, b) => dot(position(a), normal) - dot(position(b), normal));
  const [first, last] = [images[0], images[images.length - 1]];
  const steps = Math.max(1, images.length - 1);
  const step = position(last).map((value, axis) => (value - position(first)[axis]) / steps) as unknown as Vector3;
  const spacing = Math.hypot(...step);
  const [rowSpacing, columnSpacing] = first.numbers('PixelSpacing');
  const direction = spacing > 0 ? (step.map((value) => value / spacing) as unknown as Vector3) : normal;
  const size: Size3 = [first.number('Columns') ?? 0, first.number('Rows') ?? 0, images.length];
  const affine = affineFrom([row, column, direction], [columnSpacing, rowSpacing, spacing || 1], position(first));
  return {
    grid: { size, affine },
    header: first,
    StudyInstanceUID: first.string('StudyInstanceUID') ?? '',
    SeriesInstanceUID: first.string('SeriesInstanceUID') ?? '',
    FrameOfReferenceUID: first.string('FrameOfReferenceUID') ?? '',
    Modality: first.string('Modality') ?? '',
    slices: images.map((image) => ({
      SOPClassUID: image.string('SOPClassUID') ?? '',
      SOPInstanceUID: image.string('SOPInstanceUID') ?? '',
    })),
  };
}

/** A CT series that exists on paper only. */
export function paperReference(size: Size3, affine: Affine, patientName = 'Test^Patient'): ReferenceSeries {
  const StudyInstanceUID = uidFrom('paper study');
  const SeriesInstanceUID = uidFrom('paper series');
  const FrameOfReferenceUID = uidFrom('paper frame');
  const header = new Dataset()
    .set('PatientName', patientName)
    .set('PatientID', 'P1')
    .set('PatientBirthDate', '19700101')
    .set('PatientSex', 'O')
    .set('StudyDate', '20260101')
    .set('StudyTime', '101112')
    .set('StudyID', '1')
    .set('AccessionNumber', 'A1')
    .set('Modality', 'CT')
    .set('StudyInstanceUID', StudyInstanceUID)
    .set('SeriesInstanceUID', SeriesInstanceUID)
    .set('FrameOfReferenceUID', FrameOfReferenceUID);
  const slices = Array.from({ length: size[2] }, (_, k) => ({
    SOPClassUID: CT_IMAGE_STORAGE,
    SOPInstanceUID: uidFrom(`paper image ${k}`),
  }));
  return {
    grid: { size, affine },
    header,
    StudyInstanceUID,
    SeriesInstanceUID,
    FrameOfReferenceUID,
    Modality: 'CT',
    slices,
  };
}

const spin = (a: number, b: number): readonly [Vector3, Vector3, Vector3] => {
  const row: Vector3 = [Math.cos(a), Math.sin(a), 0];
  const column: Vector3 = [-Math.sin(a) * Math.cos(b), Math.cos(a) * Math.cos(b), Math.sin(b)];
  return [row, column, cross(row, column)];
};

/** Directions of i, j, k for the ways in which scanners lay slices, and two that they should not. */
export const orientations: Readonly<Record<string, readonly [Vector3, Vector3, Vector3]>> = {
  axial: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  sagittal: [
    [0, 1, 0],
    [0, 0, -1],
    [-1, 0, 0],
  ],
  coronal: [
    [1, 0, 0],
    [0, 0, -1],
    [0, 1, 0],
  ],
  oblique: spin(0.3, 0.4),
  flipped: [
    [-1, 0, 0],
    [0, -1, 0],
    [0, 0, 1],
  ],
};

/** NIfTI-1 of whole numbers as it lies in the file, and its affine in LPS. */
export function readNifti(path: string): { data: Uint8Array; size: Size3; affine: Affine } {
  const raw = readFileSync(path);
  const bytes = path.endsWith('.gz') ? gunzipSync(raw) : raw;
  const size: Size3 = [bytes.readInt16LE(42), bytes.readInt16LE(44), bytes.readInt16LE(46)];
  const type = bytes.readInt16LE(70);
  const start = bytes.readFloatLE(108);
  const read: Record<number, [number, (at: number) => number]> = {
    2: [1, (at) => bytes.readUInt8(at)],
    4: [2, (at) => bytes.readInt16LE(at)],
    8: [4, (at) => bytes.readInt32LE(at)],
    16: [4, (at) => bytes.readFloatLE(at)],
    64: [8, (at) => bytes.readDoubleLE(at)],
    512: [2, (at) => bytes.readUInt16LE(at)],
  };
  const [width, get] = read[type];
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  if (width === 1) data.set(bytes.subarray(start, start + data.length));
  else for (let n = 0; n < data.length; n++) data[n] = get(start + n * width);
  const affine = [0, 1, 2].flatMap((r) =>
    [0, 1, 2, 3].map((c) => bytes.readFloatLE(280 + 16 * r + 4 * c) * (r < 2 ? -1 : 1)),
  );
  return { data, size, affine: [...affine, 0, 0, 0, 1] };
}

/** Runs `body` with a folder that is gone afterwards. */
export function withFolder<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-objects-'));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function withFolderAsync<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-objects-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines of dciodvfy that begin with Error. */
export function dciodvfyErrors(bytes: Uint8Array): string[] {
  return withFolder((folder) => {
    const file = join(folder, 'object.dcm');
    writeFileSync(file, bytes);
    const { stderr, stdout } = spawnSync('dciodvfy', [file], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    return `${stderr}\n${stdout}`.split('\n').filter((line) => line.startsWith('Error'));
  });
}

/** The text dump of dcmdump; throws when it complains. */
export function dcmdump(bytes: Uint8Array): string {
  return withFolder((folder) => {
    const file = join(folder, 'object.dcm');
    writeFileSync(file, bytes);
    const { stderr, stdout, status } = spawnSync('dcmdump', ['+L', file], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    if (status !== 0 || /^[EF]: /m.test(stderr)) throw new Error(`dcmdump: ${stderr}`);
    return stdout;
  });
}

/** NRRD of 16-bit whole numbers (raw or gzip), LPS. */
export function readNrrd(path: string): { data: Int16Array; size: Size3; affine: Affine } {
  const raw = readFileSync(path);
  const end = raw.indexOf('\n\n');
  const header = raw.subarray(0, end).toString('latin1');
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(header)?.[1] ?? '';
  const numbers = (text: string): number[] => (text.match(/-?[\d.]+(?:e[-+]?\d+)?/gi) ?? []).map(Number);
  if (field('type') !== 'short' || field('space') !== 'left-posterior-superior') throw new Error(`${path}: ${header}`);
  const bytes = field('encoding') === 'gzip' ? gunzipSync(raw.subarray(end + 2)) : raw.subarray(end + 2);
  const size = numbers(field('sizes')) as unknown as Size3;
  const d = numbers(field('space directions'));
  const o = numbers(field('space origin'));
  const affine = [d[0], d[3], d[6], o[0], d[1], d[4], d[7], o[1], d[2], d[5], d[8], o[2], 0, 0, 0, 1];
  const data = new Int16Array(size[0] * size[1] * size[2]);
  for (let n = 0; n < data.length; n++) data[n] = bytes.readInt16LE(2 * n);
  return { data, size, affine };
}

interface Voxels {
  readonly data: ArrayLike<number>;
  readonly size: Size3;
  readonly affine: Affine;
}

/** Voxels (by place in the patient) where two label volumes differ; outside of either counts as 0. `b` must be axis-parallel to `a`. */
export function differingInSpace(a: Voxels, b: Voxels): number {
  const toB = invertAffine(b.affine);
  let different = 0;
  let met = 0;
  for (let k = 0; k < a.size[2]; k++)
    for (let j = 0; j < a.size[1]; j++)
      for (let i = 0; i < a.size[0]; i++) {
        const p = indexToPatient(toB, ...indexToPatient(a.affine, i, j, k)).map(Math.round);
        const inside = p.every((value, axis) => value >= 0 && value < b.size[axis]);
        const other = inside ? b.data[p[0] + b.size[0] * (p[1] + b.size[1] * p[2])] : 0;
        if (other !== 0) met++;
        if (other !== a.data[i + a.size[0] * (j + a.size[1] * k)]) different++;
      }
  // What of b lies outside a was not met above.
  let inB = 0;
  for (let n = 0; n < b.data.length; n++) if (b.data[n] !== 0) inB++;
  return different + inB - met;
}
