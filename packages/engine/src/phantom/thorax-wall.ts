/** The outside of the phantom's trunk and what lies between skin and rib cage. */
import type { Material } from './canvas.js';
import { profile, smoothStep } from './shapes.js';

/** Half width, half depth of the trunk by z; the back lies on the couch, so the depth also sets the middle. */
const HALF_WIDTH = profile([
  [-320, 166],
  [-100, 170],
  [0, 172],
  [60, 177],
  [115, 190],
  [145, 176],
  [172, 96],
  [195, 62],
  [260, 60],
]);
const HALF_DEPTH = profile([
  [-320, 116],
  [0, 118],
  [50, 112],
  [115, 84],
  [145, 74],
  [172, 64],
  [200, 60],
  [260, 61],
]);
/** y of the back, which lies on the couch. */
export const BACK = 118;

/** About the distance in mm to the skin, negative inside. */
export function bodyDistance(x: number, y: number, z: number): number {
  const b = HALF_DEPTH(z);
  const py = y - (BACK - b);
  const u = x / HALF_WIDTH(z);
  const v = py / b;
  const uu = u * u;
  const vv = v * v;
  // Half way between an ellipse and a rounded rectangle.
  const r = 0.5 * (Math.sqrt(uu + vv) + Math.sqrt(Math.sqrt(uu * uu + vv * vv)));
  return r > 0 ? (1 - 1 / r) * Math.sqrt(x * x + py * py) : -b;
}

const SKIN_MM = 2;
/** Skin, fat that is thicker at the flanks and the belly, then muscle. */
export const bodyWall: Material = (x, y, z, depth) => {
  if (depth < SKIN_MM) return 25;
  const fat = 9 + 9 * smoothStep(60, -200, z) + 4 * Math.abs(Math.sin(x * 0.02)) + 4 * smoothStep(0, -90, y);
  return depth < fat
    ? -105
    : 58 + 5 * Math.sin(x * 0.35 + y * 0.22) - (Math.sin(x * 0.11 - y * 0.17 + z * 0.05) > 0.93 ? 90 : 0);
};
