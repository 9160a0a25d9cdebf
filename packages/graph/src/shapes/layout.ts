/** Operators that move elements about: their shapes come from constant inputs. */
import type { Node } from '../graph/node.js';
import { broadcast, range, showShape, sizeOf } from '../tensor/shape.js';
import type { ShapeRule, ShapeRules } from './rule.js';

const reshape: ShapeRule = (node) => {
  const x = node.input(0);
  const wish = node.constant(1).map((n, i) => (n === 0 ? x.shape[i] : n));
  const known = wish.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const shape = wish.map((n) => (n === -1 ? sizeOf(x.shape) / known : n));
  if (sizeOf(shape) !== sizeOf(x.shape) || shape.some((n) => !Number.isInteger(n)))
    node.fail('wrong-shape', `${showShape(x.shape)} cannot be reshaped to ${wish}`);
  return [{ dtype: x.dtype, shape }];
};

const flatten: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const axis = node.number('axis', 1);
  return [{ dtype, shape: [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))] }];
};

const squeeze: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const axes = node.inputs[1]
    ? node.constant(1).map((axis) => node.axis(axis, shape.length))
    : range(0, shape.length).filter((axis) => shape[axis] === 1);
  if (axes.some((axis) => shape[axis] !== 1))
    node.fail('wrong-shape', `axes ${axes} of ${showShape(shape)} are not all 1`);
  return [{ dtype, shape: shape.filter((_, axis) => !axes.includes(axis)) }];
};

const unsqueeze: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const wish = node.constant(1);
  const rank = shape.length + wish.length;
  const axes = wish.map((axis) => node.axis(axis, rank));
  const rest = [...shape];
  return [{ dtype, shape: range(0, rank).map((axis) => (axes.includes(axis) ? 1 : (rest.shift() ?? 1))) }];
};

/** The order of axes of a Transpose; reversed if not given. */
export function orderOf(node: Node): readonly number[] {
  const rank = node.input(0).shape.length;
  return node.ints('perm', range(0, rank).reverse());
}

const transpose: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const order = orderOf(node);
  if ([...order].sort((a, b) => a - b).join() !== range(0, shape.length).join())
    node.fail('wrong-attribute', `${order} is no order of ${shape.length} axes`);
  return [{ dtype, shape: order.map((axis) => shape[axis]) }];
};

const concat: ShapeRule = (node) => {
  const dtype = node.commonType();
  const shapes = node.inputs.map((_, i) => node.input(i).shape);
  const [first] = shapes;
  const axis = node.axis(node.number('axis'), first.length);
  for (const shape of shapes)
    if (shape.length !== first.length || shape.some((n, i) => i !== axis && n !== first[i]))
      node.fail('wrong-shape', `${shapes.map(showShape).join(' and ')} cannot be joined along axis ${axis}`);
  return [{ dtype, shape: first.map((n, i) => (i === axis ? shapes.reduce((sum, s) => sum + s[axis], 0) : n)) }];
};

/** Sizes of the parts of a Split, in order. */
export function partsOf(node: Node): readonly number[] {
  const { shape } = node.input(0);
  const size = shape[node.axis(node.number('axis', 0), shape.length)];
  if (node.inputs[1]) return node.constant(1);
  const part = Math.ceil(size / node.outputCount);
  return range(0, node.outputCount).map((i) => Math.min(part, size - i * part));
}

const split: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const axis = node.axis(node.number('axis', 0), shape.length);
  const parts = partsOf(node);
  if (parts.length !== node.outputCount || parts.reduce((sum, n) => sum + n, 0) !== shape[axis])
    node.fail('wrong-shape', `parts of ${parts} do not make up ${shape[axis]}`);
  return parts.map((part) => ({ dtype, shape: shape.map((n, i) => (i === axis ? part : n)) }));
};

export interface Cut {
  readonly axis: number;
  /** First index taken, how many are taken, and the step between them (negative: backwards). */
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/** What a Slice takes, worked out with ONNX's clamping. */
export function cutsOf(node: Node): readonly Cut[] {
  const { shape } = node.input(0);
  const starts = node.constant(1);
  const ends = node.constant(2);
  const axes = node.inputs[3] ? node.constant(3) : range(0, starts.length);
  const steps = node.inputs[4] ? node.constant(4) : starts.map(() => 1);
  return axes.map((wish, i) => {
    const axis = node.axis(wish, shape.length);
    const size = shape[axis];
    const step = steps[i];
    if (step === 0) node.fail('wrong-attribute', 'a step of 0');
    const clamp = (index: number) =>
      step > 0
        ? Math.min(Math.max(index < 0 ? index + size : index, 0), size)
        : Math.min(Math.max(index < 0 ? index + size : index, -1), size - 1);
    const start = clamp(starts[i]);
    return { axis, start, count: Math.max(0, Math.ceil((clamp(ends[i]) - start) / step)), step };
  });
}

const slice: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const out = [...shape];
  for (const { axis, count } of cutsOf(node)) out[axis] = count;
  if (out.some((n) => n < 1)) node.fail('wrong-shape', `nothing of ${showShape(shape)} is left`);
  return [{ dtype, shape: out }];
};

/** Elements added before and after each axis (negative: taken away). */
export function padsOf(node: Node): readonly (readonly [number, number])[] {
  const rank = node.input(0).shape.length;
  const pads = node.constant(1);
  const axes = node.inputs[3] ? node.constant(3).map((axis) => node.axis(axis, rank)) : range(0, rank);
  if (pads.length !== 2 * axes.length) node.fail('wrong-attribute', `${pads.length} pads for ${axes.length} axes`);
  const all = range(0, rank).map((): [number, number] => [0, 0]);
  axes.forEach((axis, i) => {
    all[axis] = [pads[i], pads[i + axes.length]];
  });
  return all;
}

const pad: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const mode = node.text('mode', 'constant');
  if (!['constant', 'reflect', 'edge'].includes(mode)) node.fail('wrong-attribute', `mode ${mode} is not supported`);
  const pads = padsOf(node);
  const out = shape.map((n, i) => n + pads[i][0] + pads[i][1]);
  if (out.some((n) => n < 1) || (mode === 'reflect' && pads.some(([a, b], i) => Math.max(a, b) >= shape[i])))
    node.fail('wrong-shape', `pads of ${pads.join(' ')} do not fit ${showShape(shape)} (${mode})`);
  return [{ dtype, shape: out }];
};

const expand: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const wish = node.constant(1);
  const out = broadcast(shape, wish);
  return [
    { dtype, shape: out ?? node.fail('wrong-shape', `${showShape(shape)} does not broadcast to ${showShape(wish)}`) },
  ];
};

const tile: ShapeRule = (node) => {
  const { dtype, shape } = node.input(0);
  const times = node.constant(1);
  if (times.length !== shape.length) node.fail('wrong-shape', `${times.length} repeats for ${shape.length} axes`);
  return [{ dtype, shape: shape.map((n, i) => n * times[i]) }];
};

const filled: ShapeRule = (node) => {
  const value = node.attributes.value;
  const dtype = typeof value === 'object' && 'dtype' in value ? value.dtype : 'float32';
  return [{ dtype, shape: node.constant(0) }];
};

export const layoutShapes: ShapeRules = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  ConstantOfShape: filled,
};
