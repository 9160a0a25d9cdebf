/** Test help: bundle folders made of the configurations under examples/ and the weights in the shared data. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNifti, readNpy } from '@isocenter/formats';
import { makeVolume, type Volume } from '@isocenter/volume';
import { repositoryRoot } from '../../../../tools/test/needs.js';

/** A folder that `remove` takes away. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'isocenter-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** `example` is a folder under examples/bundles; the weights become models/model.onnx. */
export function assembleBundle(parent: string, example: string, weights: string): string {
  const folder = join(parent, example.split('/').at(-1) ?? 'bundle');
  mkdirSync(join(folder, 'models'), { recursive: true });
  cpSync(join(repositoryRoot, 'examples/bundles', example, 'configs'), join(folder, 'configs'), { recursive: true });
  copyFileSync(weights, join(folder, 'models/model.onnx'));
  return folder;
}

export async function niftiVolume(path: string): Promise<Volume> {
  return (await readNifti(readFileSync(path))).channels[0];
}

/** A box of a volume, same voxel type, affine kept (tests of speed and limits do not look at it). */
export function boxOf(volume: Volume, from: readonly number[], size: readonly [number, number, number]): Volume {
  const out = new Uint8Array(size[0] * size[1] * size[2]);
  for (let k = 0, at = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++, at++)
        out[at] = volume.data[from[0] + i + volume.size[0] * (from[1] + j + volume.size[1] * (from[2] + k))];
  return makeVolume(out, size, volume.affine);
}

export function npyValues(path: string): { readonly data: Float32Array; readonly shape: readonly number[] } {
  const array = readNpy(readFileSync(path));
  return { data: Float32Array.from(array.data as ArrayLike<number>), shape: array.shape };
}
