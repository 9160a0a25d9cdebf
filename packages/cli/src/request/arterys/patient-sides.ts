/** Which sides of the patient lie at the edges of an image (PS3.3 C.7.6.1.1.1): by the axis nearest to each direction. */
import type { Frame } from '@isocenter/dicom';

/** Against and along each axis of LPS. */
const LETTERS = [
  ['R', 'L'],
  ['A', 'P'],
  ['F', 'H'],
] as const;

/** At the left, right, upper and lower edge; undefined when the image does not say how it lies. */
export function sidesOf(frame: Frame | undefined): readonly [string, string, string, string] | undefined {
  const { rowDirection: row, columnDirection: column } = frame ?? {};
  if (!row || !column) return undefined;
  return [letter(row, -1), letter(row, 1), letter(column, -1), letter(column, 1)];
}

function letter(direction: readonly number[], sign: number): string {
  const sizes = direction.map(Math.abs);
  const axis = sizes.indexOf(Math.max(...sizes));
  return LETTERS[axis][direction[axis] * sign > 0 ? 1 : 0];
}
