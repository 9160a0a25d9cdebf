/** Reads one pickle: the loop over its instructions. Errors of all that it calls get the instruction and its offset here. */
import { SAVE_AS_STATE_DICT, WeightsError } from '../weights-error.js';
import { INSTRUCTIONS } from './instructions.js';
import { OPCODES, opcodeName } from './opcodes.js';
import { PickleBytes } from './pickle-bytes.js';
import { PickleMachine } from './pickle-machine.js';
import type { PickleRules, Refusal } from './refusal.js';
import type { PyValue } from './values.js';

export interface PickleResult {
  readonly value: PyValue;
  /** First byte after STOP. */
  readonly end: number;
  readonly refused: readonly Refusal[];
}

/** The pickle that begins at byte `start`. Throws WeightsError; nothing of the file is executed. */
export function readPickle(bytes: Uint8Array, start: number, rules: PickleRules): PickleResult {
  const from = new PickleBytes(bytes, start);
  const machine = new PickleMachine(from, rules);
  let code = 0;
  try {
    for (let count = 0; count < rules.limits.maximumOpcodes; count++) {
      from.opcodeAt = from.at;
      code = from.uint8();
      if (code === OPCODES.STOP) return { value: machine.result, end: from.at, refused: machine.refusals };
      const instruction = INSTRUCTIONS.get(code);
      if (!instruction) throw unknown(code, from);
      instruction(machine);
    }
  } catch (error) {
    throw placed(error, code, from.opcodeAt);
  }
  throw new WeightsError('limit-exceeded', `The pickle has more than ${rules.limits.maximumOpcodes} instructions`, {
    next: SAVE_AS_STATE_DICT,
  });
}

function unknown(code: number, from: PickleBytes): WeightsError {
  const name = opcodeName(code);
  if (name)
    return new WeightsError('refused-opcode', `The pickle uses ${name}, which no file of weights needs`, {
      next: SAVE_AS_STATE_DICT,
    });
  return from.corrupt(`Byte 0x${code.toString(16).padStart(2, '0')} is no instruction: this is no pickle`);
}

function placed(error: unknown, code: number, offset: number): unknown {
  if (!(error instanceof WeightsError) || error.opcode !== undefined) return error;
  const { kind, message, next, cause, refused } = error;
  return new WeightsError(kind, message, { next, cause, refused, opcode: opcodeName(code), offset });
}
