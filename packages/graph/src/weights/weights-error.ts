/** What can be wrong with a file of weights: each refusal names the place and, for a pickle, what it wanted to call. */
import { Failure } from '../errors/failure.js';

export type WeightsErrorKind =
  | 'unreadable'
  | 'truncated'
  | 'corrupt'
  | 'unsupported-format'
  | 'refused-global'
  | 'refused-opcode'
  | 'refused-object'
  | 'bad-arguments'
  | 'bad-storage'
  | 'out-of-bounds'
  | 'unsupported-dtype'
  | 'bad-header'
  | 'duplicate-name'
  | 'unsafe-name'
  | 'missing-entry'
  | 'limit-exceeded'
  | 'not-found'
  | 'ambiguous';

export interface WeightsErrorDetails {
  /** Entry of the archive or name of the tensor. */
  readonly where?: string;
  readonly next?: string;
  readonly cause?: unknown;
  /** `module.name` that the file wanted to call and that is not on the list. */
  readonly refused?: string;
  /** Name of the pickle instruction, and its byte offset in the pickle. */
  readonly opcode?: string;
  readonly offset?: number;
}

export class WeightsError extends Failure<WeightsErrorKind> {
  readonly refused: string | undefined;
  readonly opcode: string | undefined;
  readonly offset: number | undefined;

  constructor(kind: WeightsErrorKind, message: string, details: WeightsErrorDetails = {}) {
    const place = details.offset === undefined ? undefined : `byte ${details.offset}`;
    const where = [details.where, details.opcode, place].filter((part) => part !== undefined).join(', ');
    super(kind, message, { where: where || undefined, next: details.next, cause: details.cause });
    this.refused = details.refused;
    this.opcode = details.opcode;
    this.offset = details.offset;
  }
}

/** Names come from the file: one line, without control characters, short enough for a message. */
export function shown(text: string): string {
  const clean = text.slice(0, MAX_SHOWN + 1).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?');
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean;
}

const MAX_SHOWN = 160;

export const FETCH_AGAIN = 'The file is cut short or damaged: fetch or save it again.';
export const SAVE_AS_STATE_DICT =
  'Save plain weights in Python: torch.save(model.state_dict(), path), or safetensors.torch.save_file.';
