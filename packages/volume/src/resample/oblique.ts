/**
 * Interpolation between grids whose axes are not parallel: each output voxel is mapped through the affine and reads 1, 8
 * or 64 neighbours. The box of input that a slab needs is converted once, so that the loops see one element type.
 */
import type { Affine, Size3 } from '../geometry.js';
import type { VoxelArray } from '../volume.js';
import type { EmitPlane } from './separable.js';
import { cubicWeight, type Interpolation, type Outside, roundHalfEven, snap } from './taps.js';

const CUBIC_TAPS = 4;
/** Room around the mapped corners for the widest kernel. */
const REACH = 2;

/** Noise of an inverted affine, in voxels, that must not push a point over the input's edge. */
const EDGE_NOISE = 1e-7;

interface Box {
  readonly data: Float64Array | Float32Array;
  readonly size: Size3;
  readonly start: Size3;
}

/** Voxels of the input that output planes from … to − 1 can read, as floats that hold them exactly. */
function neededBox(data: VoxelArray, size: Size3, map: Affine, outSize: Size3, from: number, to: number): Box {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const i of [0, outSize[0] - 1])
    for (const j of [0, outSize[1] - 1])
      for (const k of [from, to - 1])
        for (let r = 0; r < 3; r++) {
          const x = map[r * 4] * i + map[r * 4 + 1] * j + map[r * 4 + 2] * k + map[r * 4 + 3];
          low[r] = Math.min(low[r], x);
          high[r] = Math.max(high[r], x);
        }
  const start = low.map((x, r) => Math.min(Math.max(Math.floor(x) - REACH, 0), size[r] - 1));
  const end = high.map((x, r) => Math.max(Math.min(Math.ceil(x) + REACH, size[r] - 1), start[r]));
  const extent = end.map((e, r) => e - start[r] + 1) as unknown as Size3;
  const exactInFloat32 = data.BYTES_PER_ELEMENT < 4 || data instanceof Float32Array;
  const count = extent[0] * extent[1] * extent[2];
  const box = exactInFloat32 ? new Float32Array(count) : new Float64Array(count);
  for (let k = 0, at = 0; k < extent[2]; k++)
    for (let j = 0; j < extent[1]; j++, at += extent[0]) {
      const row = start[0] + size[0] * (start[1] + j + size[1] * (start[2] + k));
      box.set(data.subarray(row, row + extent[0]), at);
    }
  return { data: box, size: extent, start: start as unknown as Size3 };
}

/** Output planes from … to − 1; `map` takes output indices to input indices. */
export function obliquePlanes(
  data: VoxelArray,
  size: Size3,
  map: Affine,
  outSize: Size3,
  kind: Interpolation,
  outside: Outside,
  from: number,
  to: number,
  emit: EmitPlane,
): void {
  const box = neededBox(data, size, map, outSize, from, to);
  const plane = new Float64Array(outSize[0] * outSize[1]);
  const limit = size.map((n) => n - 1) as unknown as Size3;
  const sampler = kind === 'nearest' ? nearestAt : kind === 'linear' ? linearAt : makeCubicAt();
  const cutOff = typeof outside === 'object' || (outside === 'zeros' && kind === 'nearest');
  const constant = typeof outside === 'object' ? outside.constant : 0;
  const fade = outside === 'zeros' && kind !== 'nearest';
  const plainLinear = kind === 'linear' && !fade && size.every((n) => n > 1);
  for (let k = from; k < to; k++) {
    for (let j = 0, at = 0; j < outSize[1]; j++) {
      if (plainLinear) {
        linearRow(box, limit, map, j, k, plane, at, outSize[0], cutOff, constant);
        at += outSize[0];
        continue;
      }
      const x0 = map[1] * j + map[2] * k + map[3];
      const y0 = map[5] * j + map[6] * k + map[7];
      const z0 = map[9] * j + map[10] * k + map[11];
      for (let i = 0; i < outSize[0]; i++, at++) {
        const x = snap(x0 + map[0] * i);
        const y = snap(y0 + map[4] * i);
        const z = snap(z0 + map[8] * i);
        if (
          cutOff &&
          !(x >= -0.5 && x <= limit[0] + 0.5 && y >= -0.5 && y <= limit[1] + 0.5 && z >= -0.5 && z <= limit[2] + 0.5)
        )
          plane[at] = constant;
        else plane[at] = sampler(box, limit, x, y, z, fade);
      }
    }
    emit(plane, k);
  }
}

const clamp = (x: number, high: number): number => (x < 0 ? 0 : x > high ? high : x);

function nearestAt({ data, size, start }: Box, limit: Size3, x: number, y: number, z: number): number {
  const i = roundHalfEven(clamp(x, limit[0])) - start[0];
  const j = roundHalfEven(clamp(y, limit[1])) - start[1];
  const k = roundHalfEven(clamp(z, limit[2])) - start[2];
  return data[i + size[0] * (j + size[1] * k)];
}

function linearAt(box: Box, limit: Size3, x: number, y: number, z: number, fade: boolean): number {
  if (fade && !(x >= 0 && x <= limit[0] && y >= 0 && y <= limit[1] && z >= 0 && z <= limit[2]))
    return linearFading(box, limit, x, y, z);
  const { data, size, start } = box;
  const cx = clamp(x, limit[0]);
  const cy = clamp(y, limit[1]);
  const cz = clamp(z, limit[2]);
  const i = Math.floor(cx);
  const j = Math.floor(cy);
  const k = Math.floor(cz);
  const u = cx - i;
  const v = cy - j;
  const w = cz - k;
  const di = i < limit[0] ? 1 : 0;
  const dj = j < limit[1] ? size[0] : 0;
  const dk = k < limit[2] ? size[0] * size[1] : 0;
  const a = i - start[0] + size[0] * (j - start[1] + size[1] * (k - start[2]));
  const b = a + dj;
  const c = a + dk;
  const d = c + dj;
  const near = (data[a] * (1 - u) + data[a + di] * u) * (1 - v) + (data[b] * (1 - u) + data[b + di] * u) * v;
  const far = (data[c] * (1 - u) + data[c + di] * u) * (1 - v) + (data[d] * (1 - u) + data[d + di] * u) * v;
  return near * (1 - w) + far * w;
}

/** A whole row of linearAt, without a call per voxel; every axis has at least two voxels. */
function linearRow(
  { data, size, start }: Box,
  limit: Size3,
  map: Affine,
  j: number,
  k: number,
  out: Float64Array,
  to: number,
  n: number,
  cutOff: boolean,
  constant: number,
): void {
  const [dx, dy, dz] = [map[0], map[4], map[8]];
  const x0 = map[1] * j + map[2] * k + map[3];
  const y0 = map[5] * j + map[6] * k + map[7];
  const z0 = map[9] * j + map[10] * k + map[11];
  const [xMax, yMax, zMax] = limit;
  const ni = size[0];
  const plane = size[0] * size[1];
  const base = start[0] + ni * start[1] + plane * start[2];
  const edge = 0.5 + EDGE_NOISE;
  for (let i = 0; i < n; i++) {
    let x = x0 + dx * i;
    let y = y0 + dy * i;
    let z = z0 + dz * i;
    if (!(x >= 0 && y >= 0 && z >= 0 && x <= xMax && y <= yMax && z <= zMax)) {
      if (
        cutOff &&
        !(x >= -edge && y >= -edge && z >= -edge && x <= xMax + edge && y <= yMax + edge && z <= zMax + edge)
      ) {
        out[to + i] = constant;
        continue;
      }
      x = clamp(x, xMax);
      y = clamp(y, yMax);
      z = clamp(z, zMax);
    }
    // On the last voxel step back one, so that the second neighbour exists; its weight is then 1.
    const xi = x < xMax ? x | 0 : xMax - 1;
    const yi = y < yMax ? y | 0 : yMax - 1;
    const zi = z < zMax ? z | 0 : zMax - 1;
    const u = x - xi;
    const v = y - yi;
    const w = z - zi;
    const a = xi + ni * yi + plane * zi - base;
    const b = a + ni;
    const c = a + plane;
    const d = c + ni;
    const p = data[a] + (data[a + 1] - data[a]) * u;
    const q = data[b] + (data[b + 1] - data[b]) * u;
    const r = data[c] + (data[c + 1] - data[c]) * u;
    const s = data[d] + (data[d + 1] - data[d]) * u;
    const near = p + (q - p) * v;
    out[to + i] = near + (r + (s - r) * v - near) * w;
  }
}

function linearFading({ data, size, start }: Box, limit: Size3, x: number, y: number, z: number): number {
  let sum = 0;
  for (let k = Math.floor(z); k <= Math.floor(z) + 1; k++)
    for (let j = Math.floor(y); j <= Math.floor(y) + 1; j++)
      for (let i = Math.floor(x); i <= Math.floor(x) + 1; i++) {
        if (i < 0 || j < 0 || k < 0 || i > limit[0] || j > limit[1] || k > limit[2]) continue;
        const w = (1 - Math.abs(x - i)) * (1 - Math.abs(y - j)) * (1 - Math.abs(z - k));
        sum += w * data[i - start[0] + size[0] * (j - start[1] + size[1] * (k - start[2]))];
      }
  return sum;
}

function makeCubicAt() {
  const weights = [0, 1, 2].map(() => new Float64Array(CUBIC_TAPS));
  const offsets = [0, 1, 2].map(() => new Int32Array(CUBIC_TAPS));
  const strides = new Float64Array(3);
  const prepare = (axis: number, x: number, limit: number, start: number, fade: boolean): void => {
    const floor = Math.floor(x);
    for (let t = 0; t < CUBIC_TAPS; t++) {
      const tap = floor - 1 + t;
      weights[axis][t] = fade && (tap < 0 || tap > limit) ? 0 : cubicWeight(Math.abs(x - tap));
      offsets[axis][t] = (clamp(tap, limit) - start) * strides[axis];
    }
  };
  return ({ data, size, start }: Box, limit: Size3, x: number, y: number, z: number, fade: boolean): number => {
    strides[0] = 1;
    strides[1] = size[0];
    strides[2] = size[0] * size[1];
    prepare(0, x, limit[0], start[0], fade);
    prepare(1, y, limit[1], start[1], fade);
    prepare(2, z, limit[2], start[2], fade);
    let sum = 0;
    for (let c = 0; c < CUBIC_TAPS; c++)
      for (let b = 0; b < CUBIC_TAPS; b++) {
        const base = offsets[1][b] + offsets[2][c];
        let row = 0;
        for (let a = 0; a < CUBIC_TAPS; a++) row += weights[0][a] * data[base + offsets[0][a]];
        sum += row * weights[1][b] * weights[2][c];
      }
    return sum;
  };
}
