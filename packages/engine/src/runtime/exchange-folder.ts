/**
 * How volumes go to the compute child and labels come back: raw bytes in files of a private folder (mode 0700) with a
 * JSON header. The parent removes the folder however the run ends; folders of parents that died are swept at the next start.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Affine, makeVolume, type Size3, type Volume, type VoxelArray } from '@isocenter/volume';
import { ComputeError } from './compute-error.js';
import { makeOwnedFolder, sweepOwnedFolders } from './owned-folder.js';

const PREFIX = 'isocenter-run-';

const ARRAYS = {
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
} as const;

/** A Volume without its voxels, which lie in `file`. */
export interface VolumeHeader {
  readonly file: string;
  readonly type: keyof typeof ARRAYS;
  readonly size: Size3;
  readonly affine: Affine;
}

export async function makeExchangeFolder(root = tmpdir()): Promise<string> {
  await sweepExchangeFolders(root);
  return makeOwnedFolder(root, PREFIX).catch(noRoom);
}

/** Removes what processes that no longer exist have left; others' folders stay. */
export function sweepExchangeFolders(root = tmpdir()): Promise<void> {
  return sweepOwnedFolders(root, PREFIX);
}

export async function writeVolume(folder: string, file: string, volume: Volume): Promise<VolumeHeader> {
  const { data, size, affine } = volume;
  await writeFile(join(folder, file), new Uint8Array(data.buffer, data.byteOffset, data.byteLength), {
    mode: 0o600,
  }).catch(noRoom);
  return { file, type: data.constructor.name as VolumeHeader['type'], size, affine };
}

function noRoom(cause: NodeJS.ErrnoException): never {
  throw new ComputeError(
    'temporary-folder',
    `The temporary folder cannot take the images of this run (${cause.code})`,
    {
      next: 'Free space in the temporary folder, or point TMPDIR to a folder that has some.',
      cause,
    },
  );
}

export async function readVolume(folder: string, header: VolumeHeader): Promise<Volume> {
  const bytes = await readFile(join(folder, header.file));
  const Type = ARRAYS[header.type];
  const aligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  const data: VoxelArray = new Type(aligned.buffer, aligned.byteOffset, aligned.byteLength / Type.BYTES_PER_ELEMENT);
  return makeVolume(data, header.size, header.affine);
}
