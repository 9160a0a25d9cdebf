/** A file without a single tensor is no file of weights, whatever else it is. */
import type { Checkpoint } from './checkpoint.js';
import { refusal } from './pickle/refusal.js';
import { SAVE_AS_STATE_DICT, WeightsError } from './weights-error.js';

/** Returns `checkpoint`. When all that could have held tensors was refused, the error is that refusal. */
export function requireTensors(checkpoint: Checkpoint): Checkpoint {
  if (checkpoint.tensors.length + checkpoint.constants.length > 0) return Object.freeze(checkpoint);
  const [first] = checkpoint.refused;
  if (first) throw refusal(first.refused, first.offset);
  throw new WeightsError('not-found', 'The file holds no tensors', { next: SAVE_AS_STATE_DICT });
}
