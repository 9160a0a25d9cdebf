/**
 * Optimisers as graph, by PyTorch's formulas in PyTorch's order of operations. Each works on one parameter and says which
 * tensors it carries from step to step; all start at zero.
 */
import type { Value } from '../graph/value.js';
import { add, cast, div, maximum, mul, pow, sqrt, square, sub } from '../layers/arithmetic.js';

export type Optimiser =
  | {
      readonly kind: 'sgd';
      readonly momentum?: number;
      readonly nesterov?: boolean;
      readonly weightDecay?: number;
    }
  | {
      /** Weight decay is added to the gradient in `adam`, taken off the weight in `adamW`. */
      readonly kind: 'adam' | 'adamW';
      readonly betas?: readonly [number, number];
      readonly epsilon?: number;
      readonly weightDecay?: number;
      readonly amsgrad?: boolean;
    }
  | {
      readonly kind: 'rmsprop';
      readonly alpha?: number;
      readonly epsilon?: number;
      readonly momentum?: number;
      readonly centred?: boolean;
      readonly weightDecay?: number;
    };

export interface Moment {
  readonly parameter: Value;
  readonly gradient: Value;
  readonly learningRate: Value;
  /** Number of this step as float64 scalar, from 1. */
  readonly count: Value;
  /** Asks for a tensor that is carried along, as it was before this step. */
  readonly carried: (name: string) => Value;
  /** Weight decay applies to this parameter. */
  readonly decays: boolean;
}

export interface Updated {
  readonly parameter: Value;
  /** What the carried tensors become, by name. */
  readonly carried: Readonly<Record<string, Value>>;
}

/** One step for one parameter. */
export function optimise(optimiser: Optimiser, moment: Moment): Updated {
  switch (optimiser.kind) {
    case 'sgd':
      return sgd(optimiser, moment);
    case 'adam':
    case 'adamW':
      return adam(optimiser, moment);
    case 'rmsprop':
      return rmsprop(optimiser, moment);
  }
}

type Settings<K extends Optimiser['kind']> = Extract<Optimiser, { kind: K }>;

/** rate · old + (1 − rate) · now. */
const blend = (old: Value, now: Value, rate: number): Value => add(mul(old, rate), mul(now, 1 - rate));

/** The gradient with weight decay as L2 penalty. */
const penalised = ({ parameter, gradient, decays }: Moment, weightDecay: number): Value =>
  decays && weightDecay !== 0 ? add(gradient, mul(parameter, weightDecay)) : gradient;

function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: Settings<'sgd'>, moment: Moment): Updated {
  const { parameter, learningRate, carried } = moment;
  const gradient = penalised(moment, weightDecay);
  if (momentum === 0) return { parameter: sub(parameter, mul(gradient, learningRate)), carried: {} };
  const velocity = add(mul(carried('momentum'), momentum), gradient);
  const direction = nesterov ? add(gradient, mul(velocity, momentum)) : velocity;
  return { parameter: sub(parameter, mul(direction, learningRate)), carried: { momentum: velocity } };
}

function adam(settings: Settings<'adam' | 'adamW'>, moment: Moment): Updated {
  const { betas = [0.9, 0.999], epsilon = 1e-8, amsgrad = false } = settings;
  const { weightDecay = settings.kind === 'adamW' ? 0.01 : 0 } = settings;
  const { parameter, learningRate, count, carried, decays } = moment;
  const shrinks = settings.kind === 'adamW' && decays && weightDecay !== 0;
  const start = shrinks ? mul(parameter, sub(1, mul(learningRate, weightDecay))) : parameter;
  const gradient = settings.kind === 'adam' ? penalised(moment, weightDecay) : moment.gradient;
  const mean = blend(carried('mean'), gradient, betas[0]);
  const variance = blend(carried('variance'), square(gradient), betas[1]);
  const largest = amsgrad ? maximum(carried('largest'), variance) : variance;
  // In double precision: 1 − 0.999 in float32 is off by 1e-5 of itself, which early steps would show.
  const correction = (beta: number) => sub(1, pow(beta, count));
  const rate = div(learningRate, cast(correction(betas[0]), parameter.dtype));
  const spread = cast(sqrt(correction(betas[1])), parameter.dtype);
  const direction = div(mean, add(div(sqrt(largest), spread), epsilon));
  return {
    parameter: sub(start, mul(direction, rate)),
    carried: { mean, variance, ...(amsgrad ? { largest } : {}) },
  };
}

function rmsprop(settings: Settings<'rmsprop'>, moment: Moment): Updated {
  const { alpha = 0.99, epsilon = 1e-8, momentum = 0, centred = false, weightDecay = 0 } = settings;
  const { parameter, learningRate, carried } = moment;
  const gradient = penalised(moment, weightDecay);
  const variance = blend(carried('variance'), square(gradient), alpha);
  const mean = centred ? blend(carried('mean'), gradient, alpha) : undefined;
  const spread = add(sqrt(mean ? sub(variance, square(mean)) : variance), epsilon);
  const scaled = div(gradient, spread);
  const velocity = momentum === 0 ? undefined : add(mul(carried('momentum'), momentum), scaled);
  return {
    parameter: sub(parameter, mul(velocity ?? scaled, learningRate)),
    carried: { variance, ...(mean ? { mean } : {}), ...(velocity ? { momentum: velocity } : {}) },
  };
}
