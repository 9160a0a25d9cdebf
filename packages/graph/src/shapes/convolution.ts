/** Conv and ConvTranspose over [batch, channels, space…]; weights as PyTorch lays them out. */
import { range, showShape } from '../tensor/shape.js';
import type { ShapeRule, ShapeRules } from './rule.js';
import { positions, windowOf } from './windows.js';

const conv: ShapeRule = (node) => {
  const x = node.ranked(0, 3, 4, 5);
  const w = node.ranked(1, x.shape.length);
  const groups = node.number('group', 1);
  const [outputs, perGroup, ...kernel] = w.shape;
  if (x.shape[1] !== perGroup * groups || outputs % groups !== 0)
    node.fail(
      'wrong-shape',
      `weights of ${showShape(w.shape)} in ${groups} group(s) do not fit ${x.shape[1]} channels of "${x.name}"`,
    );
  checkBias(node, outputs);
  const spatial = x.shape.slice(2);
  return [
    {
      dtype: node.floatType(),
      shape: [x.shape[0], outputs, ...positions(node, spatial, windowOf(node, spatial, kernel))],
    },
  ];
};

const convTranspose: ShapeRule = (node) => {
  const x = node.ranked(0, 3, 4, 5);
  const w = node.ranked(1, x.shape.length);
  const groups = node.number('group', 1);
  const [inputs, perGroup, ...kernel] = w.shape;
  if (x.shape[1] !== inputs || inputs % groups !== 0)
    node.fail('wrong-shape', `weights of ${showShape(w.shape)} do not fit ${x.shape[1]} channels of "${x.name}"`);
  checkBias(node, perGroup * groups);
  const spatial = x.shape.slice(2);
  if (node.attributes.output_shape !== undefined || node.text('auto_pad', 'NOTSET') !== 'NOTSET')
    node.fail('wrong-attribute', 'output_shape and auto_pad are not supported', 'Say pads and output_padding');
  const { strides, dilations, pads } = windowOf(node, spatial, kernel);
  const extra = node.ints(
    'output_padding',
    range(0, spatial.length).map(() => 0),
  );
  const shape = spatial.map(
    (n, i) => (n - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 + extra[i] - pads[i] - pads[i + spatial.length],
  );
  if (shape.some((n) => n < 1)) node.fail('wrong-shape', `nothing is left of ${showShape(shape)}`);
  return [{ dtype: node.floatType(), shape: [x.shape[0], perGroup * groups, ...shape] }];
};

function checkBias(node: Parameters<ShapeRule>[0], channels: number): void {
  const bias = node.inputs[2];
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== channels))
    node.fail('wrong-shape', `a bias of ${showShape(bias.shape)} does not fit ${channels} channels`);
}

export const convolutionShapes: ShapeRules = { Conv: conv, ConvTranspose: convTranspose };
