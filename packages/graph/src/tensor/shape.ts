/** Arithmetic on shapes (C order: the last axis runs fastest). */

export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** `start, start + 1, … end - 1`. */
export const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** Steps in elements from one index to the next of each axis. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/** The common shape of NumPy's broadcasting, or undefined where there is none. */
export function broadcast(...shapes: readonly Shape[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    for (let i = 0; i < shape.length; i++) {
      const axis = rank - shape.length + i;
      if (shape[i] === 1) continue;
      if (out[axis] !== 1 && out[axis] !== shape[i]) return undefined;
      out[axis] = shape[i];
    }
  return out;
}

/** `[2, 3, 4]` as "2×3×4"; a scalar as "scalar". */
export const showShape = (shape: Shape): string => (shape.length === 0 ? 'scalar' : shape.join('×'));
