/** Small random volumes for this package's tests, and running a Python oracle on them; not exported. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { affineFrom, type Size3, type Vector3 } from './geometry.js';
import { makeVolume, type Volume, type VoxelArray, voxelCount } from './volume.js';

/** Deterministic numbers in [0, 1) (xorshift). */
export function randomNumbers(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

export function randomMask(size: Size3, density: number, seed: number): Uint8Array {
  const next = randomNumbers(seed);
  return Uint8Array.from({ length: voxelCount(size) }, () => (next() < density ? 1 : 0));
}

export function randomVolume(size: Size3, seed: number, spacing: Vector3 = [1, 1, 1]): Volume<Float32Array> {
  const next = randomNumbers(seed);
  const data = Float32Array.from({ length: voxelCount(size) }, () => next() * 2000 - 1000);
  const axes = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ] as const;
  return makeVolume(data, size, affineFrom(axes, spacing, [-20, 30, 5]));
}

/**
 * Runs `script` with little-endian raw arrays `inputs` as files `sys.argv[1] …` and the name of an output file last;
 * returns that file's bytes as `Output`.
 */
export function askPython<Output extends VoxelArray>(
  python: string,
  script: string,
  inputs: readonly VoxelArray[],
  output: new (buffer: ArrayBuffer) => Output,
): Output {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-volume-'));
  try {
    const names = inputs.map((array, n) => {
      const name = join(folder, `in${n}`);
      writeFileSync(name, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return name;
    });
    const result = join(folder, 'out');
    execFileSync(python, ['-c', script, ...names, result], { stdio: ['ignore', 'ignore', 'pipe'] });
    return new output(Uint8Array.from(readFileSync(result)).buffer);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Constructors of all voxel types. */
export const voxelArrays: readonly (new (length: number) => VoxelArray)[] = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
];

/** A voxel array of the given type with `value(n)` as element n. */
export function filled(
  make: new (length: number) => VoxelArray,
  length: number,
  value: (n: number) => number,
): VoxelArray {
  const out = new make(length);
  for (let n = 0; n < length; n++) out[n] = value(n);
  return out;
}
