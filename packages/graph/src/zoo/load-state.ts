/** Weights of a checkpoint for a network: everything that does not fit is said at once, nothing is loaded by halves. */
import type { DType } from '../tensor/dtype.js';
import { sameShape, showShape, sizeOf } from '../tensor/shape.js';
import { bytesOf, numbersOf, type Tensor, tensorOf } from '../tensor/tensor.js';
import type { Network, State } from './network.js';
import { NetworkError } from './network-error.js';

/** What wrappers and training scripts put before every name (monai.md D.14), alone or one behind the other. */
const WRAPPERS = [
  'module',
  'model',
  'net',
  'network',
  'state_dict',
  'model_state_dict',
  'unet_state_dict',
  'controlnet_state_dict',
  'network_weights',
  'weights',
  '_orig_mod',
  '_model',
];

export interface LoadedState {
  /** All tensors of the network under its own names, in state_dict order; for `writeModel` and for training. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** What stood before every name: '' or `module.` … */
  readonly prefix: string;
  /** Names of the checkpoint that were left out: second names of tensors, and what this network has no use for. */
  readonly ignored: readonly string[];
}

export interface LoadOptions {
  /** Leaves out what the network does not know instead of refusing (the fields of a training script in the same file). */
  readonly allowUnexpected?: boolean;
}

/**
 * Real numbers of other precision are converted to the network's. Counters may be missing (they start at 0). Throws NetworkError
 * `wrong-weights`, whose message lists all missing and unexpected names and all wrong shapes (of each the first few).
 */
export function loadState(
  network: Network,
  tensors: ReadonlyMap<string, Tensor>,
  { allowUnexpected = false }: LoadOptions = {},
): LoadedState {
  const prefix = prefixOf(network, tensors);
  const found = new Map<string, Tensor>();
  const unexpected: string[] = [];
  const ignored: string[] = [];
  const known = new Set(network.states.map(({ name }) => name));
  for (const [key, tensor] of tensors) {
    const name = key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
    if (name !== undefined && known.has(name)) found.set(name, tensor);
    else if (allowUnexpected || (name !== undefined && meansNothing(network, name))) ignored.push(key);
    else unexpected.push(key);
  }
  // A checkpoint may hold a tensor only under its second name.
  for (const [alias, name] of network.aliases) {
    const tensor = tensors.get(prefix + alias);
    if (tensor && !found.has(name)) found.set(name, tensor);
  }
  const missing = network.states.filter((state) => !found.has(state.name) && !optional(state)).map(({ name }) => name);
  const misfits = network.states.flatMap((state) => misfit(state, found.get(state.name)));
  const faults = [list('missing', missing), list('unexpected', unexpected), list('of another shape', misfits)].filter(
    (text) => text !== '',
  );
  if (faults.length > 0)
    throw new NetworkError('wrong-weights', `The weights do not fit ${network.name}: ${faults.join('; ')}`, {
      where: network.name,
      next: 'Take the weights of this architecture, or its arguments from the training that made them',
    });
  const weights = new Map(network.states.map((state) => [state.name, fitted(state, found.get(state.name))]));
  return { weights, prefix, ignored };
}

/** The run of wrapper words before the first name that the network knows; '' wins where both would do. */
function prefixOf({ states, aliases }: Network, tensors: ReadonlyMap<string, Tensor>): string {
  const known = new Set([...states.map(({ name }) => name), ...aliases.keys()]);
  let best = '';
  let most = [...tensors.keys()].filter((key) => known.has(key)).length;
  const tried = new Set(['']);
  for (const key of tensors.keys()) {
    const words = key.split('.');
    let prefix = '';
    for (let n = 0; n < words.length - 1 && WRAPPERS.includes(words[n]); n++) {
      prefix += `${words[n]}.`;
      if (tried.has(prefix)) continue;
      tried.add(prefix);
      let count = 0;
      for (const name of tensors.keys()) if (name.startsWith(prefix) && known.has(name.slice(prefix.length))) count++;
      if (count > most) [best, most] = [prefix, count];
    }
  }
  return best;
}

const meansNothing = ({ aliases, ignored }: Network, name: string): boolean =>
  aliases.has(name) || ignored.some((pattern) => pattern.test(name));

/** Counts of batches, tables that follow from the architecture, what is never used. */
const optional = ({ dtype, kind }: State): boolean => kind === 'fixed' || kind === 'unused' || dtype === 'int64';

function misfit(state: State, tensor: Tensor | undefined): string[] {
  if (!tensor) return [];
  if (!sameShape(tensor.shape, state.shape) && !bothSingle(tensor, state))
    return [`${state.name} (${showShape(tensor.shape)}, not ${showShape(state.shape)})`];
  if (!REALS.includes(tensor.dtype) && REALS.includes(state.dtype)) return [`${state.name} (${tensor.dtype})`];
  if (state.contents && !sameNumbers(state.contents(), tensor)) return [`${state.name} (another table)`];
  return [];
}

const REALS: readonly DType[] = ['float32', 'float64', 'float16'];

/** Some writers make a scalar a vector of one. */
const bothSingle = (tensor: Tensor, state: State): boolean =>
  tensor.data.length === 1 && state.shape.every((n) => n === 1);

const sameNumbers = (a: Tensor, b: Tensor): boolean =>
  a.dtype === b.dtype
    ? Buffer.compare(bytesOf(a), bytesOf(b)) === 0
    : numbersOf(a).every((n, i) => n === numbersOf(b)[i]);

function fitted(state: State, tensor: Tensor | undefined): Tensor {
  if (state.contents) return state.contents();
  if (!tensor)
    return tensorOf(
      state.dtype,
      state.shape,
      new Float32Array(sizeOf(state.shape)).fill(state.initial.kind === 'constant' ? state.initial.value : 0),
    );
  if (tensor.dtype === state.dtype) return { ...tensor, shape: state.shape };
  return tensorOf(state.dtype, state.shape, numbersOf(tensor));
}

const MOST_NAMED = 8;

function list(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.length} ${what}: ${names.slice(0, MOST_NAMED).join(', ')}${more}`;
}

/** All keys that PyTorch's own module would save, second names included, in its order: for writeStateDict. */
export function stateDictFor(network: Network, weights: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const take = (name: string): Tensor => {
    const tensor = weights.get(name);
    if (tensor) return tensor;
    const state = network.states.find((candidate) => candidate.name === name);
    if (state && optional(state)) return fitted(state, undefined);
    throw new NetworkError('wrong-weights', `The weights of ${network.name} lack ${name}`, { where: name });
  };
  const own = network.states.map(({ name }) => [name, take(name)] as const);
  return new Map([...own, ...[...network.aliases].map(([alias, name]) => [alias, take(name)] as const)]);
}
