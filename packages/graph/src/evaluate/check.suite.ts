/**
 * The check that every operator passes: its value in ONNX Runtime against the twin, its gradient in the twin against central
 * differences, and its gradient in ONNX Runtime against the twin. The loss weighs all outputs differently, so that no
 * error can hide in a sum.
 */
import { expect } from 'vitest';
import { gradients } from '../derivatives/gradients.js';
import { Graph, type Mode } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { add, mul } from '../layers/arithmetic.js';
import { reduceSum } from '../layers/reductions.js';
import { isFloat } from '../tensor/dtype.js';
import { range, sizeOf } from '../tensor/shape.js';
import { tensorOf } from '../tensor/tensor.js';
import type { Arr } from './array.suite.js';
import { evaluate } from './evaluate.suite.js';
import { type Random, randomArray } from './random.suite.js';
import { runOnnx } from './run-onnx.suite.js';

export interface Check {
  /** Shapes of the float inputs, by name. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly build: (values: Readonly<Record<string, Value>>) => Value;
  /** Puts the random numbers (about −1 … 1, normal) where the operator is smooth: positive for log, away from a kink. */
  readonly place?: (x: number) => number;
  readonly mode?: Mode;
  /** Inputs that are given but not differentiated. */
  readonly still?: readonly string[];
}

/** Central differences in double precision: error about STEP² / 6 · third derivative. */
const STEP = 1e-4;
const DOUBLE_TOLERANCE = 2e-6;
const FLOAT_TOLERANCE = 2e-4;

export interface Checked {
  readonly graph: Graph;
  readonly output: Value;
  readonly given: ReadonlyMap<string, Arr>;
  readonly loss: Value;
  readonly gradients: ReadonlyMap<string, Value>;
}

/** The graph of a check, with loss and gradients as outputs. */
export function buildCheck(
  { inputs, build, place = (x) => x, mode = 'train', still = [] }: Check,
  random: Random,
): Checked {
  const graph = new Graph({ name: 'check', mode });
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, graph.input(name, 'float32', shape)]),
  );
  const given = new Map(
    Object.entries(inputs).map(([name, shape]) => {
      const { data } = randomArray(shape, random);
      return [name, { shape, data: data.map((x) => Math.fround(place(x))) }];
    }),
  );
  const output = build(values);
  const weights = range(0, sizeOf(output.shape)).map((i) => Math.fround(Math.sin(1 + 1.7 * i)));
  const weighted = mul(output, graph.constant(tensorOf('float32', output.shape, weights), 'weights'));
  const loss = add(reduceSum(weighted), 0);
  const names = Object.keys(values).filter((name) => !still.includes(name));
  const found = gradients(
    graph,
    loss,
    names.map((name) => values[name]),
  );
  const named = new Map<string, Value>();
  graph.output('check_output', output);
  names.forEach((name, i) => {
    const gradient = found[i];
    if (!gradient) throw new Error(`no gradient for ${name}`);
    expect(gradient.shape, `shape of the gradient of ${name}`).toEqual(values[name].shape);
    named.set(name, graph.output(`check_gradient_${name}`, gradient));
  });
  return { graph, output, given, loss, gradients: named };
}

/** Throws an assertion that says which of the three comparisons failed, where. */
export async function check(what: Check, random: Random): Promise<Checked> {
  const checked = buildCheck(what, random);
  const { graph, output, given, loss } = checked;
  const names = [...checked.gradients.keys()];
  const [value, ...slopes] = evaluate(graph, given, [output, ...checked.gradients.values()]);
  const lossAt = (name: string, at: number, shift: number): number => {
    const moved = new Map(given);
    const { shape, data } = given.get(name) as Arr;
    const copy = data.slice();
    copy[at] += shift;
    moved.set(name, { shape, data: copy });
    return evaluate(graph, moved, [loss])[0].data[0];
  };
  names.forEach((name, n) => {
    const { data } = given.get(name) as Arr;
    // Each element of small inputs, a spread of larger ones.
    const stride = Math.max(1, Math.floor(data.length / 24));
    for (let at = 0; at < data.length; at += stride) {
      const difference = (lossAt(name, at, STEP) - lossAt(name, at, -STEP)) / (2 * STEP);
      near(slopes[n].data[at], difference, DOUBLE_TOLERANCE, `gradient of ${name}[${at}] against the difference`);
    }
  });
  const ran = await runOnnx(graph, given);
  compare(ran.check_output, value, FLOAT_TOLERANCE, 'value in ONNX Runtime');
  names.forEach((name, n) => {
    compare(ran[`check_gradient_${name}`], slopes[n], FLOAT_TOLERANCE, `gradient of ${name} in ONNX Runtime`);
  });
  expect(isFloat(output.dtype)).toBe(true);
  return checked;
}

export function compare(found: Arr, expected: Arr, tolerance: number, what: string): void {
  expect(found.shape, what).toEqual(expected.shape);
  const size = Math.max(1, ...expected.data.map(Math.abs));
  for (let i = 0; i < expected.data.length; i++)
    near(found.data[i], expected.data[i], tolerance * size, `${what}[${i}]`);
}

function near(found: number, expected: number, tolerance: number, what: string): void {
  if (!(Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected))))
    expect.fail(`${what}: ${found}, expected ${expected}`);
}
