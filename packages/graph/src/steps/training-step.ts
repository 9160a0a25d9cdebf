/**
 * A whole training step as one ONNX model: (batch, parameters, what the optimiser carries, learning rate, step number) →
 * (loss, new parameters, new carried tensors). Nothing is hidden in a session, so that the tensors named here are all there
 * is to save: a training resumed from them goes on bit for bit.
 */
import { gradients } from '../derivatives/gradients.js';
import { GraphError } from '../errors/graph-error.js';
import type { Graph } from '../graph/graph.js';
import type { Parameter, Value } from '../graph/value.js';
import { add, cast, div, equal, mod, mul, where } from '../layers/arithmetic.js';
import { int64Scalar } from '../layers/layout.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { type Clipping, clipGradients, globalNorm } from './clip-gradients.js';
import { type Optimiser, optimise } from './optimiser.js';
import { learningRate, stepNumber } from './step-inputs.js';

export interface TrainingStepOptions {
  readonly optimiser: Optimiser;
  readonly clip?: Clipping;
  /** Decay of an exponential moving average of the parameters, e.g. 0.999; none if absent. */
  readonly average?: number;
  /** Which parameters weight decay applies to; all if absent (as PyTorch). */
  readonly decays?: (parameter: Parameter) => boolean;
  /** Which parameters are learned; all that are trainable if absent. */
  readonly learns?: (parameter: Parameter) => boolean;
  /**
   * Gradients of so many steps are averaged before the optimiser moves (and clips): the effect of a batch so many times as large,
   * batch statistics aside. The loss should be a mean.
   */
  readonly accumulate?: number;
  /** Adds the norm of all gradients, before clipping, as output `gradient_norm`. */
  readonly reportNorm?: boolean;
}

/** A tensor that goes from step to step: given as `input`, taken back from `output`. */
export interface Carried {
  readonly kind: 'parameter' | 'optimiser' | 'accumulated' | 'average' | 'statistic';
  readonly input: string;
  readonly output: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The parameter it belongs to (itself, for parameters and statistics). */
  readonly of: Parameter;
}

export interface TrainingStep {
  readonly graph: Graph;
  readonly loss: string;
  readonly carried: readonly Carried[];
  /** Parameters that the loss does not depend on, or that are not learned: given to each step, never changed. */
  readonly constant: readonly Parameter[];
}

export const LOSS_OUTPUT = 'loss';
export const NORM_OUTPUT = 'gradient_norm';

/** Completes `graph`, whose mode should be `train`, by gradients, optimiser and outputs. Throws GraphError as `gradients`. */
export function trainingStep(graph: Graph, loss: Value, options: TrainingStepOptions): TrainingStep {
  if (graph.mode !== 'train')
    throw new GraphError('wrong-attribute', `Graph "${graph.name}" is built for use, not for training`, {
      next: "Build it with new Graph({ mode: 'train' })",
    });
  const { optimiser, clip, average, decays = () => true, learns = () => true, reportNorm = false } = options;
  const { accumulate = 1 } = options;
  if (!Number.isInteger(accumulate) || accumulate < 1)
    throw new GraphError('wrong-attribute', `Gradients of ${accumulate} steps cannot be averaged`, {
      where: 'accumulate',
    });
  const carried: Carried[] = [];
  const carry = (kind: Carried['kind'], of: Parameter, input: Value, output: Value): void => {
    const name = `next/${input.name}`;
    graph.output(name, output);
    carried.push({ kind, input: input.name, output: name, dtype: input.dtype, shape: input.shape, of });
  };

  const wished = graph.parameters.filter((parameter) => parameter.trainable && learns(parameter));
  const found = gradients(graph, loss, wished);
  const learned = wished.filter((_, i) => found[i] !== undefined);
  const raw = found.filter((gradient) => gradient !== undefined);
  graph.output(LOSS_OUTPUT, loss);
  graph.scope('optimiser', () => {
    const done = add(stepNumber(graph), graph.constant(one));
    const count = cast(accumulate === 1 ? done : div(done, int64Scalar(done, accumulate)), 'float64');
    const moves = accumulate === 1 ? undefined : equal(mod(done, int64Scalar(done, accumulate)), 0);
    /** What a tensor becomes in this step: `next` if the optimiser moves, `otherwise` if it only collects. */
    const either = (next: Value, otherwise: Value): Value => (moves ? where(moves, next, otherwise) : next);
    const carriedOf = (name: string, parameter: Parameter): Value =>
      graph.input(`${name}/${parameter.name}`, parameter.dtype, parameter.shape);

    const collected = learned.map((parameter, i) => {
      if (!moves) return raw[i];
      const before = carriedOf('accumulated', parameter);
      const sum = add(before, div(raw[i], accumulate));
      carry('accumulated', parameter, before, where(moves, 0, sum));
      return sum;
    });
    if (reportNorm) graph.output(NORM_OUTPUT, globalNorm(collected));
    const ready = clip ? graph.scope('clip', () => clipGradients(collected, clip)) : collected;
    learned.forEach((parameter, i) => {
      const inputs = new Map<string, Value>();
      const state = (name: string): Value => {
        const value = carriedOf(name, parameter);
        inputs.set(name, value);
        return value;
      };
      graph.scope(parameter.name, () => {
        const updated = optimise(optimiser, {
          parameter,
          gradient: ready[i],
          learningRate: learningRate(graph),
          count,
          carried: state,
          decays: decays(parameter),
        });
        carry('parameter', parameter, parameter, either(updated.parameter, parameter));
        for (const [name, input] of inputs) carry('optimiser', parameter, input, either(updated.carried[name], input));
        if (average === undefined) return;
        const before = carriedOf('average', parameter);
        const after = add(mul(before, average), mul(updated.parameter, 1 - average));
        carry('average', parameter, before, either(after, before));
      });
    });
  });
  for (const [parameter, value] of graph.updates) carry('statistic', parameter, parameter, value);
  const moving = new Set(carried.map(({ input }) => input));
  return {
    graph,
    loss: LOSS_OUTPUT,
    carried,
    constant: graph.parameters.filter(({ name }) => !moving.has(name)),
  };
}

const one = { dtype: 'int64', shape: [], data: BigInt64Array.of(1n) } as const;
