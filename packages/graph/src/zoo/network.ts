/**
 * A network as data and one function: the tensors of its state_dict, in PyTorch's order under PyTorch's names, and how a graph
 * is built with them. Following PyTorch, modules are made first (which declares tensors) and called later (which adds nodes):
 * the order of a state_dict is the order of making, seldom that of use.
 */
import { Graph, type Mode } from '../graph/graph.js';
import type { Initial, Value } from '../graph/value.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type InitialRules, torchInitial } from './initial-rules.js';
import { seedDropout } from './modules/dropout.js';
import { NetworkError } from './network-error.js';
import { States } from './states.js';

export interface State {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  /**
   * `parameter`: learned; `buffer`: running statistics; `fixed`: never changes, and the graph holds it as a constant; `unused`:
   * PyTorch's module has it and never calls it.
   */
  readonly kind: 'parameter' | 'buffer' | 'fixed' | 'unused';
  readonly initial: Initial;
  /** The contents of `fixed`. */
  readonly contents?: () => Tensor;
}

/** One module, called. */
export type Layer = (x: Value) => Value;
/** A whole network, called: one value for each output; the first is the one that counts in use. */
export type Forward = (...inputs: readonly Value[]) => readonly Value[];

export interface Network {
  readonly name: string;
  /** In state_dict order, each tensor once. */
  readonly states: readonly State[];
  /** Second names under which PyTorch also saves a tensor; in a state_dict they come after all others, in this order. */
  readonly aliases: ReadonlyMap<string, string>;
  /** What the network is given, in order: usually `image`. */
  readonly inputs: readonly string[];
  /** Keys of checkpoints that mean nothing to this network and are left out without complaint. */
  readonly ignored: readonly RegExp[];
  /** Adds the nodes to the graph of the inputs, whose mode decides about batch norm, dropout and deep supervision. */
  readonly forward: Forward;
}

export interface NetworkDetails {
  readonly inputs?: readonly string[];
  readonly initial?: InitialRules;
  readonly ignored?: readonly RegExp[];
}

/** Makes the modules once. `declare` answers what runs when the network is called. */
export function network(
  name: string,
  declare: (at: States) => Forward,
  { inputs = ['image'], initial = torchInitial, ignored = [] }: NetworkDetails = {},
): Network {
  const root = States.root(initial);
  const forward = declare(root);
  return { name, states: root.all, aliases: root.aliases, inputs, ignored, forward };
}

/** A network of one input and one output out of one layer. */
export const simpleNetwork = (name: string, declare: (at: States) => Layer, details?: NetworkDetails): Network =>
  network(
    name,
    (at) => {
      const layer = declare(at);
      return (x) => [layer(x)];
    },
    details,
  );

export interface BuiltNetwork {
  readonly graph: Graph;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

export interface BuildOptions {
  readonly mode?: Mode;
  /** Of the first output; further ones (deep supervision) are `output_1`, `output_2` … */
  readonly outputName?: string;
  /** Of dropout masks, in training. */
  readonly seed?: number;
}

/**
 * A graph of its own with float32 inputs named as `network.inputs`, of the given shapes ([batch, channels, space…]), outputs
 * `output`, `output_1` …, and all parameters declared in state_dict order. `writeModel(graph, { weights })` makes an ONNX file
 * of it, with what is in `weights` inside and the rest as inputs. Throws NetworkError and GraphError where the shape does not fit.
 */
export function buildNetwork(
  built: Network,
  shapes: readonly Shape[],
  { mode = 'infer', outputName = 'output', seed = 0 }: BuildOptions = {},
): BuiltNetwork {
  if (shapes.length !== built.inputs.length)
    throw new NetworkError('wrong-argument', `${built.name} has the inputs ${built.inputs}; ${shapes.length} came`);
  const graph = new Graph({ name: built.name, mode });
  seedDropout(graph, seed);
  const inputs = built.inputs.map((name, i) => graph.input(name, 'float32', shapes[i]));
  declareStates(graph, built);
  const outputs = built.forward(...inputs);
  outputs.forEach((value, i) => {
    graph.output(i === 0 ? outputName : `${outputName}_${i}`, value);
  });
  return { graph, inputs, outputs };
}

/** Parameters and running statistics as parameters of the graph; counters and fixed tables have no part in it. */
function declareStates(graph: Graph, { states }: Network): void {
  for (const { name, shape, dtype, kind, initial } of states)
    if ((kind === 'parameter' || kind === 'buffer') && dtype === 'float32')
      graph.parameter(name, shape, { trainable: kind === 'parameter', initial });
}

/** How many numbers are learned, as PyTorch counts them. */
export const parameterCount = ({ states }: Network): number =>
  states
    .filter(({ kind }) => kind === 'parameter' || kind === 'unused')
    .reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
