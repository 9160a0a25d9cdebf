/** What a pickle may do, and the refusal of everything else. */
import type { WeightsLimits } from '../limits.js';
import { SAVE_AS_STATE_DICT, shown, WeightsError } from '../weights-error.js';
import type { PyGlobal, PyValue } from './values.js';

/** What a pickle wanted and did not get. */
export interface Refusal {
  /** `module.name`. */
  readonly refused: string;
  /** First byte of the instruction, in the pickle. */
  readonly offset: number;
}

export interface PickleRules {
  /** The allow-list: undefined for everything that is not on it. */
  readonly find: (name: string) => PyGlobal | undefined;
  /** What a persistent id stands for. */
  readonly persistent: (id: PyValue) => PyValue;
  /** `list`: go on with an opaque value in place of what is not on the allow-list. */
  readonly refusals: 'throw' | 'list';
  readonly limits: WeightsLimits;
}

/** The error for a name that is not on the allow-list. */
export function refusal(name: string, offset?: number): WeightsError {
  const refused = shown(name);
  return new WeightsError(
    'refused-global',
    `The file wants to use ${refused}, which no weights need; nothing was run`,
    {
      refused,
      offset,
      next: `If you trust the file, save only its weights. ${SAVE_AS_STATE_DICT}`,
    },
  );
}
