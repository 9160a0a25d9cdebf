/** One axis of a Resize as a matrix [out, in]: which input elements each output element is made of (ONNX's formulas). */
import type { Node } from '../graph/node.js';
import { range } from '../tensor/shape.js';

export function resizeMatrix(node: Node, axis: number): number[][] {
  const from = node.input(0).shape[axis];
  const to = node.output.shape[axis];
  const rule = node.text('coordinate_transformation_mode', 'half_pixel');
  const scale = to / from;
  const place = (i: number): number => {
    if (rule === 'align_corners') return to === 1 ? 0 : (i * (from - 1)) / (to - 1);
    if (rule === 'asymmetric') return i / scale;
    if (rule === 'pytorch_half_pixel') return to === 1 ? 0 : (i + 0.5) / scale - 0.5;
    return rule === 'half_pixel'
      ? (i + 0.5) / scale - 0.5
      : node.fail('wrong-attribute', `coordinates ${rule} are not supported`);
  };
  const matrix = range(0, to).map(() => new Array<number>(from).fill(0));
  const inside = (index: number) => Math.min(Math.max(index, 0), from - 1);
  for (let i = 0; i < to; i++) {
    const x = place(i);
    if (node.text('mode', 'nearest') === 'nearest') matrix[i][inside(nearest(x, node))] += 1;
    else {
      const left = Math.floor(x);
      matrix[i][inside(left)] += 1 - (x - left);
      matrix[i][inside(left + 1)] += x - left;
    }
  }
  return matrix;
}

function nearest(x: number, node: Node): number {
  const mode = node.text('nearest_mode', 'round_prefer_floor');
  switch (mode) {
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
  }
  return node.fail('wrong-attribute', `nearest_mode ${mode} is not supported`);
}
