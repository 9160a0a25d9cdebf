/**
 * Bodies of the phantom as implicit functions in patient space (LPS mm): negative inside, zero on the surface, about
 * the distance in mm near it, so that the painter can soften an edge within one voxel. Combination is by minimum and
 * maximum, as in constructive solid geometry.
 */
import type { Vector3 } from '@isocenter/volume';

export type Distance = (x: number, y: number, z: number) => number;

export interface Shape {
  readonly distance: Distance;
  /** Axis-aligned box in LPS mm that holds the whole shape. */
  readonly low: Vector3;
  readonly high: Vector3;
}

export function shape(low: Vector3, high: Vector3, distance: Distance): Shape {
  return { distance, low, high };
}

/** Rises smoothly from 0 at `from` to 1 at `to`. */
export function smoothStep(from: number, to: number, value: number): number {
  const t = Math.min(Math.max((value - from) / (to - from), 0), 1);
  return t * t * (3 - 2 * t);
}

/** Ellipsoid turned by `turn` radians about the z axis. */
export function ellipsoid(centre: Vector3, radii: Vector3, turn = 0): Shape {
  const [cx, cy, cz] = centre;
  const [a, b, c] = radii;
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const reach = turn === 0 ? 0 : Math.max(a, b);
  const rx = Math.max(a, reach);
  const ry = Math.max(b, reach);
  return shape([cx - rx, cy - ry, cz - c], [cx + rx, cy + ry, cz + c], (x, y, z) => {
    const px = cos * (x - cx) + sin * (y - cy);
    const py = cos * (y - cy) - sin * (x - cx);
    const pz = z - cz;
    const u = px / a;
    const v = py / b;
    const w = pz / c;
    const near = Math.sqrt(u * u + v * v + w * w);
    const slope = Math.sqrt((u * u) / (a * a) + (v * v) / (b * b) + (w * w) / (c * c));
    return slope > 0 ? (near * (near - 1)) / slope : -Math.min(a, b, c);
  });
}

/** All points within `radius` of the segment from p to q. */
export function capsule(p: Vector3, q: Vector3, radius: number): Shape {
  const [px, py, pz] = p;
  const dx = q[0] - px;
  const dy = q[1] - py;
  const dz = q[2] - pz;
  const length2 = dx * dx + dy * dy + dz * dz;
  const low = p.map((value, axis) => Math.min(value, q[axis]) - radius) as unknown as Vector3;
  const high = p.map((value, axis) => Math.max(value, q[axis]) + radius) as unknown as Vector3;
  return shape(low, high, (x, y, z) => {
    const ax = x - px;
    const ay = y - py;
    const az = z - pz;
    const t = length2 > 0 ? Math.min(Math.max((ax * dx + ay * dy + az * dz) / length2, 0), 1) : 0;
    const ex = ax - t * dx;
    const ey = ay - t * dy;
    const ez = az - t * dz;
    return Math.sqrt(ex * ex + ey * ey + ez * ez) - radius;
  });
}

/** Box with sharp edges. */
export function box(low: Vector3, high: Vector3): Shape {
  return shape(low, high, (x, y, z) =>
    Math.max(low[0] - x, x - high[0], low[1] - y, y - high[1], low[2] - z, z - high[2]),
  );
}

/** The part of `a` that also satisfies `distance`. */
export function intersect(a: Shape, distance: Distance): Shape {
  return shape(a.low, a.high, (x, y, z) => Math.max(a.distance(x, y, z), distance(x, y, z)));
}

/** A function of one coordinate by its values at rising knots, smooth between them, sampled every millimetre. */
export function profile(knots: readonly (readonly [at: number, value: number])[]): (at: number) => number {
  const first = knots[0][0];
  const last = knots[knots.length - 1][0];
  const samples = new Float64Array(Math.ceil(last - first) + 2);
  for (let n = 0, segment = 0; n < samples.length; n++) {
    const at = Math.min(first + n, last);
    while (segment < knots.length - 2 && at > knots[segment + 1][0]) segment++;
    const [from, a] = knots[segment];
    const [to, b] = knots[segment + 1];
    samples[n] = a + (b - a) * smoothStep(from, to, at);
  }
  const end = samples.length - 2;
  return (at) => {
    const position = Math.min(Math.max(at - first, 0), end);
    const n = Math.floor(position);
    return samples[n] + (samples[n + 1] - samples[n]) * (position - n);
  };
}
