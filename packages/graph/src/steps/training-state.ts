/** The tensors of a training between its steps. Runs nothing: it says what to give to a step, and takes what came out. */
import { GraphError } from '../errors/graph-error.js';
import { sameShape, showShape, sizeOf } from '../tensor/shape.js';
import { numbersOf, scalar, type Tensor, tensorOf } from '../tensor/tensor.js';
import { RATE_INPUT, STEP_INPUT } from './step-inputs.js';
import type { Carried, TrainingStep } from './training-step.js';

export class TrainingState {
  readonly #step: TrainingStep;
  readonly #tensors: Map<string, Tensor>;
  #done: number;

  /**
   * `tensors` must hold every parameter; what the optimiser carries starts at zero and averages at their parameter where it is
   * absent, so that both initial weights and a saved `tensors` are good. Throws GraphError `wrong-weights`.
   */
  constructor(step: TrainingStep, tensors: ReadonlyMap<string, Tensor>, done = 0) {
    this.#step = step;
    this.#done = done;
    this.#tensors = new Map();
    for (const { name, shape } of step.constant) this.#tensors.set(name, fitting(tensors, name, shape));
    for (const carried of step.carried) this.#tensors.set(carried.input, startOf(carried, tensors));
  }

  /** How many steps were done. */
  get done(): number {
    return this.#done;
  }

  /** All tensors by name: what a checkpoint stores, together with `done`. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return this.#tensors;
  }

  /** The inputs of the next step, beside the batch. */
  feeds(learningRate: number): ReadonlyMap<string, Tensor> {
    return new Map([
      ...this.#tensors,
      [STEP_INPUT, scalar('int64', this.#done)],
      [RATE_INPUT, scalar('float32', learningRate)],
    ]);
  }

  /**
   * Takes the outputs of a step. Answers the loss. Throws GraphError `not-finite`, naming the step (from 1), and then keeps
   * the tensors as they were.
   */
  accept(outputs: ReadonlyMap<string, Tensor>): number {
    const [loss] = numbersOf(taken(outputs, this.#step.loss));
    if (!Number.isFinite(loss))
      throw new GraphError('not-finite', `The loss is ${loss} in step ${this.#done + 1}`, {
        where: `step ${this.#done + 1}`,
        next: 'Lower the learning rate, clip gradients, or look for NaN in the data',
      });
    const next = this.#step.carried.map(({ input, output }) => [input, taken(outputs, output)] as const);
    for (const [name, tensor] of next) this.#tensors.set(name, tensor);
    this.#done++;
    return loss;
  }
}

function taken(outputs: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const found = outputs.get(name);
  if (!found) throw new GraphError('missing-input', `The step gave no output "${name}"`, { where: name });
  return found;
}

function fitting(tensors: ReadonlyMap<string, Tensor>, name: string, shape: readonly number[]): Tensor {
  const found = tensors.get(name);
  if (!found || !sameShape(found.shape, shape))
    throw new GraphError(
      'wrong-weights',
      `"${name}" is ${found ? showShape(found.shape) : 'missing'}; the network wants ${showShape(shape)}`,
      { where: name },
    );
  return found;
}

function startOf({ kind, input, dtype, shape, of }: Carried, tensors: ReadonlyMap<string, Tensor>): Tensor {
  if (tensors.has(input) || kind === 'parameter' || kind === 'statistic') return fitting(tensors, input, shape);
  if (kind === 'average') return fitting(tensors, of.name, shape);
  return tensorOf(dtype, shape, new Float64Array(sizeOf(shape)));
}
