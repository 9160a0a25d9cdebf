/**
 * Morphology with a ball whose radius is in millimetres, whatever the voxel spacing: a voxel is reached when the distance
 * between voxel centres is at most the radius. Work is limited to the mask's box and the radius around it.
 */
import { boundingBox, boxSize, cutBox, growBox, pasteBox } from '../box.js';
import type { Size3, Vector3 } from '../geometry.js';
import { squaredDistances } from './distance.js';

/** Squares of distances are float32: a relative allowance of a few of its steps keeps "exactly the radius" inside. */
const ROUNDING = 1 + 4e-7;

/** Voxels within `radius` mm of the mask. */
export function dilateBall(data: Uint8Array, size: Size3, spacing: Vector3, radius: number): Uint8Array {
  const out = new Uint8Array(data.length);
  const own = boundingBox(data, size);
  if (!own) return out;
  const reach = Math.ceil(radius / Math.min(...spacing)) + 1;
  const box = growBox(own, reach, size);
  const part = cutBox(data, size, box);
  const squares = squaredDistances(part, boxSize(box), spacing, 'mask');
  const limit = radius * radius * ROUNDING;
  for (let at = 0; at < part.length; at++) part[at] = squares[at] <= limit ? 1 : 0;
  pasteBox(part, box, out, size);
  return out;
}

/** Voxels further than `radius` mm from every background voxel; what lies beyond the grid is background. */
export function erodeBall(data: Uint8Array, size: Size3, spacing: Vector3, radius: number): Uint8Array {
  const out = new Uint8Array(data.length);
  const own = boundingBox(data, size);
  if (!own) return out;
  const box = {
    low: own.low.map((x) => x - 1) as unknown as Size3,
    high: own.high.map((x) => x + 1) as unknown as Size3,
  };
  const part = cutBox(data, size, box);
  const squares = squaredDistances(part, boxSize(box), spacing, 'background');
  const limit = radius * radius * ROUNDING;
  for (let at = 0; at < part.length; at++) part[at] = squares[at] > limit ? 1 : 0;
  pasteBox(part, box, out, size);
  return out;
}

/** Erosion, then dilation, by the ball. */
export function openBall(data: Uint8Array, size: Size3, spacing: Vector3, radius: number): Uint8Array {
  return dilateBall(erodeBall(data, size, spacing, radius), size, spacing, radius);
}

/** Dilation, then erosion, by the ball, as if the grid went on for ever: never removes a voxel. */
export function closeBall(data: Uint8Array, size: Size3, spacing: Vector3, radius: number): Uint8Array {
  const out = new Uint8Array(data.length);
  const own = boundingBox(data, size);
  if (!own) return out;
  const pad = spacing.map((s) => Math.ceil(radius / s) + 1);
  const box = {
    low: own.low.map((x, a) => x - pad[a]) as unknown as Size3,
    high: own.high.map((x, a) => x + pad[a]) as unknown as Size3,
  };
  const wide = boxSize(box);
  const part = cutBox(data, size, box);
  pasteBox(erodeBall(dilateBall(part, wide, spacing, radius), wide, spacing, radius), box, out, size);
  return out;
}
