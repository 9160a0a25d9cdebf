/** Which part of a checkpoint is the network's weights: a stated rule, not a guess. */
import type { Checkpoint, NamedTensor } from './checkpoint.js';
import { shown, WeightsError } from './weights-error.js';

/** Keys under which people save weights beside an optimiser; the first that is there wins (monai.md D.14). */
const USUAL_KEYS = [
  'state_dict',
  'model_state_dict',
  'model',
  'net',
  'network_weights',
  'weights',
  'unet_state_dict',
  'controlnet_state_dict',
];
/** What DataParallel puts before every name. */
const PARALLEL_PREFIX = 'module.';

export interface StateDict {
  /** Where in the checkpoint it stands: '' for the whole file, or `state_dict`. */
  readonly key: string;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** Names of tensors of the file that are not part of it (an optimiser's). */
  readonly leftOut: readonly string[];
}

/**
 * 1. `key`, when it is given. 2. TorchScript and safetensors: everything. 3. The first of the usual keys that holds
 * tensors. 4. Tensors at the top: those. 5. The only key that holds tensors. Below 3 and 5 the rule begins again. Then
 * `module.` goes, where every name begins with it. Throws WeightsError `not-found`, `ambiguous`, `duplicate-name`.
 */
export function stateDictOf(checkpoint: Checkpoint, key?: string): StateDict {
  const flat = checkpoint.format === 'torchscript' || checkpoint.format === 'safetensors';
  const chosen =
    key !== undefined ? below(checkpoint, key) : flat ? { depth: 0, tensors: checkpoint.tensors } : choose(checkpoint);
  const taken = new Set(chosen.tensors.map(({ name }) => name));
  const prefix = chosen.tensors.every((tensor) => nameBelow(tensor, chosen.depth).startsWith(PARALLEL_PREFIX))
    ? PARALLEL_PREFIX.length
    : 0;
  const tensors = new Map<string, NamedTensor>();
  for (const tensor of chosen.tensors) tensors.set(nameBelow(tensor, chosen.depth).slice(prefix), tensor);
  return Object.freeze({
    key: chosen.tensors[0]?.path.slice(0, chosen.depth).join('.') ?? '',
    tensors,
    leftOut: checkpoint.tensors.filter(({ name }) => !taken.has(name)).map(({ name }) => name),
  });
}

interface Chosen {
  /** Keys of the path that lead to it. */
  readonly depth: number;
  readonly tensors: readonly NamedTensor[];
}

function nameBelow(tensor: NamedTensor, depth: number): string {
  return tensor.path.slice(depth).join('.');
}

function below({ tensors }: Checkpoint, key: string): Chosen {
  const isBelow = ({ path }: NamedTensor, depth: number) =>
    depth < path.length && path.slice(0, depth).join('.') === key;
  const first = tensors.find((tensor) => tensor.path.some((_, depth) => isBelow(tensor, depth)));
  const depth = first?.path.findIndex((_, n) => isBelow(first, n)) ?? -1;
  if (!first || depth < 0)
    throw new WeightsError('not-found', `The checkpoint has no tensors under ${shown(key)}`, {
      next: `Keys with tensors: ${keysOf(tensors, 0).join(', ') || 'none'}.`,
    });
  return { depth, tensors: tensors.filter((tensor) => isBelow(tensor, depth)) };
}

function choose({ tensors }: Checkpoint): Chosen {
  let depth = 0;
  let inside = tensors;
  for (;;) {
    const keys = keysOf(inside, depth);
    const usual = USUAL_KEYS.find((name) => keys.includes(name));
    // A loss saved as a tensor may stand beside the weights, so the usual keys go first.
    const top = inside.filter(({ path }) => path.length === depth + 1);
    if (usual === undefined && top.length > 0) return { depth, tensors: top };
    const key = usual ?? (keys.length === 1 ? keys[0] : undefined);
    if (key === undefined)
      throw new WeightsError('ambiguous', 'The checkpoint has several parts that could be the weights', {
        next: `Name one of them: ${keys.map(shown).slice(0, MOST_SHOWN).join(', ')}.`,
      });
    const level = depth;
    inside = inside.filter(({ path }) => path[level] === key);
    depth += 1;
  }
}

const MOST_SHOWN = 20;

function keysOf(tensors: readonly NamedTensor[], depth: number): string[] {
  return [...new Set(tensors.filter(({ path }) => path.length > depth + 1).map(({ path }) => path[depth]))];
}
