/** What is in a file of weights, as `isocenter weights` shows it: names, shapes and types; the tensors stay in the file. */
import {
  type CheckpointValue,
  type Refusal,
  stateDictOf,
  WeightsError,
  type WeightsFormat,
} from '@isocenter/graph/weights';
import { openWeights } from './open-weights.js';

export interface ListedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** The first name that has the very same weights. */
  readonly sharedWith?: string;
}

export interface WeightsReport {
  readonly format: WeightsFormat;
  /** Which part of the file a network would take. */
  readonly stateDict: { readonly key: string; readonly tensors: number; readonly parameters: number } | undefined;
  /** Why there is none. */
  readonly problem: { readonly message: string; readonly next?: string } | undefined;
  readonly tensors: readonly ListedTensor[];
  readonly values: Readonly<Record<string, string | number | boolean | null>>;
  readonly refused: readonly Refusal[];
}

/** `key` names the part of a checkpoint that is meant. Throws WeightsError, ArchiveError. */
export async function listWeights(path: string, key?: string): Promise<WeightsReport> {
  const { checkpoint, close } = await openWeights(path, { refusals: 'list' });
  try {
    const first = new Map<string, string>();
    const tensors = checkpoint.tensors.map(({ name, dtype, shape, bytes, view }): ListedTensor => {
      const sharedWith = first.get(view);
      if (sharedWith === undefined) first.set(view, name);
      return { name, dtype, shape, bytes, sharedWith };
    });
    return {
      format: checkpoint.format,
      ...choice(() => stateDictOf(checkpoint, key), key),
      tensors,
      values: Object.fromEntries([...checkpoint.values].map(([name, value]) => [name, plain(value)])),
      refused: checkpoint.refused,
    };
  } finally {
    await close();
  }
}

/** A key that was asked for and is not there is an error; weights that could be several things are only a remark. */
function choice(choose: () => ReturnType<typeof stateDictOf>, key: string | undefined) {
  try {
    const { key: found, tensors } = choose();
    const own = new Map([...tensors.values()].map((tensor) => [tensor.view, tensor]));
    const parameters = [...own.values()].reduce((sum, { shape }) => sum + shape.reduce((n, side) => n * side, 1), 0);
    return { stateDict: { key: found, tensors: tensors.size, parameters }, problem: undefined };
  } catch (error) {
    if (!(error instanceof WeightsError) || key !== undefined) throw error;
    return { stateDict: undefined, problem: { message: error.message, next: error.next } };
  }
}

/** JSON has no integers beyond 2^53 and no NaN. */
function plain(value: CheckpointValue): string | number | boolean | null {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value;
}
