/** A label map of 20 ellipsoids in a 5 × 4 pattern, every fourth with a hole in its middle. */
import type { Size3 } from '@isocenter/volume';

const COLUMNS = 5;
const ROWS = 4;
export const STRUCTURES = COLUMNS * ROWS;
const EVERY_WITH_HOLE = 4;
/** Of the radii of the structure. */
const HOLE = 0.5;

/** Label n + 1 is the nth ellipsoid; `[i + ni * (j + nj * k)]`. Radii differ, so that no two contours are alike. */
export function ellipsoids([ni, nj, nk]: Size3): Uint8Array {
  const data = new Uint8Array(ni * nj * nk);
  for (let n = 0; n < STRUCTURES; n++) {
    const column = n % COLUMNS;
    const row = Math.floor(n / COLUMNS);
    const centre = [((column + 0.5) * ni) / COLUMNS, ((row + 0.5) * nj) / ROWS, nk / 2 + (n % 3) - 1];
    const shrink = 0.98 - 0.015 * n;
    const radii = [(ni / COLUMNS / 2) * shrink, (nj / ROWS / 2) * shrink, nk * 0.47 * shrink];
    const hole = n % EVERY_WITH_HOLE === EVERY_WITH_HOLE - 1 ? HOLE : 0;
    for (let k = 0; k < nk; k++)
      for (let j = Math.floor(centre[1] - radii[1]); j <= centre[1] + radii[1]; j++)
        for (let i = Math.floor(centre[0] - radii[0]); i <= centre[0] + radii[0]; i++) {
          const distance = Math.hypot(
            (i - centre[0]) / radii[0],
            (j - centre[1]) / radii[1],
            (k - centre[2]) / radii[2],
          );
          if (distance < 1 && distance >= hole && i >= 0 && j >= 0) data[i + ni * (j + nj * k)] = n + 1;
        }
  }
  return data;
}
