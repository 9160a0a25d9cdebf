/**
 * Paints shapes into a grid of any orientation: voxel values blended across the surface within about one voxel (the
 * partial volume effect), labels cut sharply where the voxel centre lies inside. Later paint covers earlier paint.
 */
import { type Affine, type Grid, indexToPatient, invertAffine, spacingOf, voxelCount } from '@isocenter/volume';
import type { Random } from './random.js';
import { nearlyNormal } from './random.js';
import type { Shape } from './shapes.js';

/** A fixed value, or one that depends on the place (LPS mm) and the depth below the surface (mm, positive inside). */
export type Material = number | ((x: number, y: number, z: number, depth: number) => number);

export interface Paint {
  readonly shape: Shape;
  readonly material: Material;
  /** Label written into layer `layer` (default 1) where the centre lies inside; absent = the layers stay. */
  readonly label?: number;
  readonly layer?: number;
  /** Paint only voxels whose label in layer 1 is one of these. */
  readonly within?: readonly number[];
}

/** Side of the square tile of noise that is laid over each slice at a random place; prime, so that tiles never line up. */
const NOISE_TILE = 311;

export class Canvas {
  readonly values: Int16Array;
  readonly layers: readonly [Uint8Array, Uint8Array];
  readonly #grid: Grid;
  readonly #toIndex: Affine;
  readonly #softness: number;

  constructor(grid: Grid, background: number) {
    const n = voxelCount(grid.size);
    this.#grid = grid;
    this.#toIndex = invertAffine(grid.affine);
    const [a, b, c] = spacingOf(grid.affine);
    this.#softness = Math.cbrt(a * b * c) * 0.5 + 0.4;
    this.values = new Int16Array(n).fill(background);
    this.layers = [new Uint8Array(n), new Uint8Array(n)];
  }

  /** First and last index per axis of the voxels that can touch the shape; undefined when it lies outside the grid. */
  #extent({ low, high }: Shape): readonly (readonly [number, number])[] | undefined {
    const from = [Infinity, Infinity, Infinity];
    const to = [-Infinity, -Infinity, -Infinity];
    for (let corner = 0; corner < 8; corner++) {
      const x = corner & 1 ? high[0] + this.#softness : low[0] - this.#softness;
      const y = corner & 2 ? high[1] + this.#softness : low[1] - this.#softness;
      const z = corner & 4 ? high[2] + this.#softness : low[2] - this.#softness;
      indexToPatient(this.#toIndex, x, y, z).forEach((value, axis) => {
        from[axis] = Math.min(from[axis], value);
        to[axis] = Math.max(to[axis], value);
      });
    }
    const range = from.map((value, axis) => {
      const first = Math.max(Math.ceil(value), 0);
      return [first, Math.min(Math.floor(to[axis]), this.#grid.size[axis] - 1)] as const;
    });
    return range.every(([a, b]) => a <= b) ? range : undefined;
  }

  paint({ shape, material, label, layer = 1, within }: Paint): void {
    const extent = this.#extent(shape);
    if (extent === undefined) return;
    const [[i0, i1], [j0, j1], [k0, k1]] = extent;
    const [ni, nj] = this.#grid.size;
    const m = this.#grid.affine;
    const { values } = this;
    const labels = this.layers[layer];
    const organs = this.layers[1];
    const allowed = within === undefined ? undefined : new Set(within);
    const softness = this.#softness;
    const inverse = 1 / softness;
    const fixed = typeof material === 'number' ? material : 0;
    const vary = typeof material === 'number' ? undefined : material;
    for (let k = k0; k <= k1; k++)
      for (let j = j0; j <= j1; j++) {
        let x = m[0] * i0 + m[1] * j + m[2] * k + m[3];
        let y = m[4] * i0 + m[5] * j + m[6] * k + m[7];
        let z = m[8] * i0 + m[9] * j + m[10] * k + m[11];
        let at = i0 + ni * (j + nj * k);
        for (let i = i0; i <= i1; i++, at++, x += m[0], y += m[4], z += m[8]) {
          if (allowed !== undefined && !allowed.has(organs[at])) continue;
          const d = shape.distance(x, y, z);
          if (d >= softness * 0.5) continue;
          const share = Math.min(0.5 - d * inverse, 1);
          const value = vary === undefined ? fixed : vary(x, y, z, -d);
          values[at] = Math.round(values[at] + (value - values[at]) * share);
          if (label !== undefined && d < 0) labels[at] = label;
        }
      }
  }

  /** Adds noise of standard deviation `sigma` that is correlated over about two pixels in the slice, as CT noise is. */
  addNoise(sigma: number, random: Random, floor: number): void {
    const n = NOISE_TILE;
    const white = Float32Array.from({ length: n * n }, () => nearlyNormal(random));
    const tile = new Float32Array(n * n);
    // Weights 1 2 1 / 2 4 2 / 1 2 1 over 6: the sum of their squares is 36, so the deviation stays 1.
    for (let j = 0; j < n; j++)
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let dj = -1; dj <= 1; dj++)
          for (let di = -1; di <= 1; di++)
            sum += white[((i + di + n) % n) + n * ((j + dj + n) % n)] * (2 - Math.abs(di)) * (2 - Math.abs(dj));
        tile[i + n * j] = (sum / 6) * sigma;
      }
    const [ni, nj, nk] = this.#grid.size;
    for (let k = 0, at = 0; k < nk; k++) {
      const oi = Math.floor(random() * n);
      const oj = Math.floor(random() * n);
      for (let j = 0; j < nj; j++) {
        const row = n * ((j + oj) % n);
        for (let i = 0, t = oi; i < ni; i++, at++, t = t + 1 === n ? 0 : t + 1)
          this.values[at] = Math.max(Math.round(this.values[at] + tile[row + t]), floor);
      }
    }
  }
}
