/**
 * Beside MONAI itself, where Python has it (ISOCENTER_PYTHON): the same keys and shapes in the same order, the same spread of first
 * weights, the same output from the same weights, the same gradient of every parameter, the same running statistics.
 */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import type { Initial } from '../graph/value.js';
import type { Shape } from '../tensor/shape.js';
import { sizeOf } from '../tensor/shape.js';
import { goldenWeights, run, sineInput } from './golden.suite.js';
import { askMonai, type Fingerprint, fingerprint, type MonaiAnswer } from './monai.suite.js';
import { cases } from './monai-cases.suite.js';
import { type Network, parameterCount } from './network.js';
import { networkOf } from './registry.js';
import { differentiate } from './training.suite.js';

const GROUP = 13;
const OUTPUT_TOLERANCE = 1e-5;
const GRADIENT_TOLERANCE = 2e-3;

/** True, None and [1, 2] in Python's spelling. */
function python(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value))
    return typeof value[0] === 'string' && value.length === 2
      ? `(${value.map(python).join(', ')})`
      : `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value as object)
      .map(([k, v]) => `'${k}': ${python(v)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}

const call = (name: string, args: Readonly<Record<string, unknown>>): string =>
  `nets.${name}(${Object.entries(args)
    .filter(([key]) => key !== 'monai_version')
    .map(([key, value]) => `${key}=${python(value)}`)
    .join(', ')})`;

function sameKeys(network: Network, answer: MonaiAnswer): void {
  const { aliases, states } = network;
  const own = states.map(({ name, shape, dtype }): [string, Shape, string] => [name, shape, dtype]);
  expect(own).toEqual(answer.keys.filter(([name]) => !aliases.has(name)));
  expect([...aliases.keys()].sort()).toEqual(
    answer.keys
      .map(([name]) => name)
      .filter((name) => aliases.has(name))
      .sort(),
  );
  expect(parameterCount(network)).toBe(answer.parameters);
}

/** Mean, standard deviation and bound of a distribution against those of one draw of `count` numbers. */
function sameSpread(name: string, initial: Initial, count: number, drawn: readonly [number, number, number]): void {
  const [mean, deviation, largest] = drawn;
  if (initial.kind === 'constant') {
    expect([mean, deviation], name).toEqual([expect.closeTo(initial.value, 5), expect.closeTo(0, 6)]);
    return;
  }
  const expected = initial.kind === 'uniform' ? initial.bound / Math.sqrt(3) : initial.deviation;
  // Five standard errors; of few numbers only the bound can be told.
  const errors = 5 / Math.sqrt(count);
  const centre = initial.kind === 'uniform' ? 0 : initial.mean;
  expect(Math.abs(mean - centre), `${name}: mean`).toBeLessThan(errors * expected + 1e-9);
  if (count >= 30) expect(Math.abs(deviation / expected - 1), `${name}: deviation`).toBeLessThan(errors);
  if (initial.kind === 'uniform') expect(largest, `${name}: bound`).toBeLessThanOrEqual(initial.bound * 1.0001);
}

function sameFingerprint(name: string, found: Fingerprint, expected: Fingerprint, floor: number): void {
  const tolerance = GRADIENT_TOLERANCE * Math.max(expected.norm, floor);
  [found.norm - expected.norm, ...found.dots.map((dot, i) => dot - expected.dots[i])].forEach((difference) => {
    expect(Math.abs(difference), `${name}: ${JSON.stringify([found, expected])}`).toBeLessThanOrEqual(tolerance);
  });
}

describeWithPython(['monai', 'torch', 'einops'], 'networks beside MONAI', (pythonPath) => {
  /** Asked in groups: one start of Python for several cases, and a run of one network does not wait for all. */
  const answers = new Map<number, readonly MonaiAnswer[]>();
  const answer = (i: number): MonaiAnswer => {
    const group = Math.floor(i / GROUP);
    const asked = cases.slice(group * GROUP, (group + 1) * GROUP);
    const found =
      answers.get(group) ??
      askMonai(
        pythonPath,
        asked.map(({ name, args, input, mode = 'train' }) => ({ make: call(name, args), inputs: [input], mode })),
      );
    answers.set(group, found);
    return found[i % GROUP];
  };

  cases.forEach(({ title, name, args, input, mode = 'train' }, i) => {
    describe(`${name}: ${title}`, () => {
      it('has the same keys, shapes and first weights', { timeout: 600_000 }, () => {
        const network = networkOf(name, args);
        sameKeys(network, answer(i));
        for (const state of network.states)
          if (state.kind === 'parameter')
            sameSpread(state.name, state.initial, sizeOf(state.shape), answer(i).fresh[state.name] as never);
      });

      if (mode === 'keys') return;
      it('gives the same output, gradients and statistics', { timeout: 600_000 }, async () => {
        const network = networkOf(name, args);
        const weights = goldenWeights(network);
        const image = sineInput(input);
        const expected = answer(i);
        const output = await run(network, weights, image);
        expect(output.shape).toEqual(expected.output.shape);
        const largest = expected.output.data.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
        const worst = expected.output.data.reduce(
          (most, x, k) => Math.max(most, Math.abs(x - Number(output.data[k]))),
          0,
        );
        expect(worst / largest, 'largest difference of the output').toBeLessThanOrEqual(OUTPUT_TOLERANCE);

        const step = await differentiate(network, [image], mode);
        const found = await step.run(weights, [image]);
        await step.session.release();
        expect([...step.learned].sort(), 'parameters that are learned').toEqual(Object.keys(expected.gradients).sort());
        const norms = Object.values(expected.gradients).map(({ norm }) => norm);
        // What should be 0 (a bias before a norm) is noise here and there: measured against the whole gradient.
        const floor = 1e-2 * Math.max(...norms);
        for (const [key, value] of Object.entries(expected.gradients))
          sameFingerprint(key, fingerprint(found.get(`gradient ${key}`)?.data as Float32Array), value, floor);
        for (const [key, value] of Object.entries(expected.buffers))
          sameFingerprint(key, fingerprint(found.get(`update ${key}`)?.data as Float32Array), value, 1);
      });
    });
  });
});
