/** Colours for structures that come without one. */

/** Hues a golden angle apart: neighbours in a list differ, however long it is. */
const GOLDEN_ANGLE_DEGREES = 137.508;

/** sRGB, 0..255 each, of the `index`-th structure of a list (from 0), fully saturated. */
export function distinctColour(index: number): readonly [number, number, number] {
  const sector = (index * GOLDEN_ANGLE_DEGREES) / 60;
  const channel = (shift: number): number => {
    const h = (sector + shift) % 6;
    return Math.round(255 * (1 - Math.max(0, Math.min(h, 4 - h, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}
