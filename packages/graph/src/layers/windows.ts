/** Options of sliding layers, spelled as PyTorch spells them, per axis or one number for all. */
import { range } from '../tensor/shape.js';

export type PerAxis = number | readonly number[];

/** One number for each of `d` axes. */
export const perAxis = (value: PerAxis, d: number): number[] =>
  typeof value === 'number' ? range(0, d).map(() => value) : [...value];

export interface WindowOptions {
  readonly stride?: PerAxis;
  /** The same on both sides; `paddingEnd` where the far side differs. */
  readonly padding?: PerAxis;
  readonly paddingEnd?: PerAxis;
  readonly dilation?: PerAxis;
}

/** As ONNX attributes. */
export function windowAttributes(
  { stride = 1, padding = 0, paddingEnd = padding, dilation = 1 }: WindowOptions,
  d: number,
): { strides: number[]; pads: number[]; dilations: number[] } {
  return {
    strides: perAxis(stride, d),
    pads: [...perAxis(padding, d), ...perAxis(paddingEnd, d)],
    dilations: perAxis(dilation, d),
  };
}
