/** Windows that slide: how many positions convolution and pooling have along each spatial axis. */
import type { Node } from '../graph/node.js';
import { range, type Shape, showShape } from '../tensor/shape.js';

/** Per spatial axis; `pads` holds all fronts, then all ends, as ONNX writes them. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** The window of a Conv or pooling node over spatial sizes `spatial`; `auto_pad` of older models is worked out. */
export function windowOf(node: Node, spatial: Shape, kernel: readonly number[]): Window {
  const axes = range(0, spatial.length);
  const ones = axes.map(() => 1);
  const strides = node.ints('strides', ones);
  const dilations = node.ints('dilations', ones);
  const auto = node.text('auto_pad', 'NOTSET');
  const pads =
    auto === 'SAME_UPPER' || auto === 'SAME_LOWER'
      ? samePads(spatial, kernel, strides, dilations, auto === 'SAME_LOWER')
      : node.ints(
          'pads',
          [...axes, ...axes].map(() => 0),
        );
  for (const list of [kernel, strides, dilations])
    if (list.length !== spatial.length || list.some((n) => !(n >= 1)))
      node.fail('wrong-attribute', `kernel, strides and dilations need ${spatial.length} positive numbers each`);
  if (pads.length !== 2 * spatial.length)
    node.fail('wrong-attribute', `pads needs ${2 * spatial.length} numbers, not ${pads.length}`);
  return { kernel, strides, dilations, pads };
}

const samePads = (
  spatial: Shape,
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  lower: boolean,
): number[] => {
  const total = spatial.map((n, i) => {
    const out = Math.ceil(n / strides[i]);
    return Math.max(0, (out - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - n);
  });
  const small = total.map((n) => Math.floor(n / 2));
  const large = total.map((n) => Math.ceil(n / 2));
  return lower ? [...large, ...small] : [...small, ...large];
};

/** Positions along each axis; `ceil` counts a last, incomplete one that starts inside the padded input (MaxPool's ceil_mode). */
export function positions(node: Node, spatial: Shape, window: Window, ceil = false): number[] {
  const { kernel, strides, dilations, pads } = window;
  return spatial.map((n, i) => {
    const rest = n + pads[i] + pads[i + spatial.length] - dilations[i] * (kernel[i] - 1) - 1;
    if (rest < 0)
      node.fail(
        'wrong-shape',
        `a window of ${showShape(kernel)} is larger than the padded input of ${showShape(spatial)}`,
      );
    let count = (ceil ? Math.ceil(rest / strides[i]) : Math.floor(rest / strides[i])) + 1;
    if (ceil && (count - 1) * strides[i] >= n + pads[i]) count--;
    return count;
  });
}
