/** Derivatives of picking by index: gradients are added up where they were picked. */
import { filled, gather, reshape, transpose, unsqueeze } from '../layers/layout.js';
import { range } from '../tensor/shape.js';
import type { GradientRule, GradientRules } from './rule.js';

const gathered: GradientRule = ({ node, dy }) => {
  const [x, indexes] = [node.input(0), node.input(1)];
  const axis = node.axis(node.number('axis', 0), x.shape.length);
  const picked = indexes.shape.length;
  // The picked axis to the front: ScatterND places whole rows.
  const toFront = [...range(axis, axis + picked), ...range(0, axis), ...range(axis + picked, dy.shape.length)];
  const order = [axis, ...range(0, x.shape.length).filter((i) => i !== axis)];
  const rows = dy.graph.node(
    'ScatterND',
    [
      filled(
        dy,
        order.map((i) => x.shape[i]),
        0,
      ),
      unsqueeze(indexes, picked),
      transpose(dy, toFront),
    ],
    { reduction: 'add' },
  );
  return [
    transpose(
      rows,
      order.map((_, i) => order.indexOf(i)),
    ),
  ];
};

const gatheredElements: GradientRule = ({ node, dy }) => {
  const [x, indexes] = [node.input(0), node.input(1)];
  const axis = node.axis(node.number('axis', 0), x.shape.length);
  return [dy.graph.node('ScatterElements', [filled(dy, x.shape, 0), indexes, dy], { axis, reduction: 'add' })];
};

/** What is placed overwrites (none) or adds to (add) what was there. */
const scattered: GradientRule = ({ node, dy, wants }) => {
  const axis = node.axis(node.number('axis', 0), dy.shape.length);
  const adds = node.text('reduction', 'none');
  if (adds !== 'none' && adds !== 'add') node.fail('no-gradient', `no derivative with reduction ${adds}`);
  const indexes = node.input(1);
  const zeros = () => filled(dy, indexes.shape, 0);
  const kept = () => (adds === 'add' ? dy : dy.graph.node('ScatterElements', [dy, indexes, zeros()], { axis }));
  return [
    wants(0) ? kept() : undefined,
    undefined,
    wants(2) ? dy.graph.node('GatherElements', [dy, indexes], { axis }) : undefined,
  ];
};

const scatteredRows: GradientRule = ({ node, dy, wants }) => {
  const indexes = node.input(1);
  const depth = indexes.shape[indexes.shape.length - 1];
  if (node.text('reduction', 'none') !== 'add' || depth !== 1)
    node.fail('no-gradient', 'the derivative is known for reduction add along the first axis only');
  const rows = () => gather(dy, reshape(indexes, indexes.shape.slice(0, -1)));
  return [wants(0) ? dy : undefined, undefined, wants(2) ? rows() : undefined];
};

export const indexingGradients: GradientRules = {
  Gather: gathered,
  GatherElements: gatheredElements,
  ScatterElements: scattered,
  ScatterND: scatteredRows,
};
