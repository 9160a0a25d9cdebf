/** What a handler returned, checked, as the JSON text, bodies and hash of an answer. */
import { ArterysError } from './arterys-error.js';
import { checkAnswer } from './check-answer.js';
import type { HandlerAnswer } from './handler.js';
import { type Json, jsonText } from './json-text.js';
import { type CheckedAnswer, type EncodedAnswer, hashOf } from './messages.js';

/** Throws ArterysError `inconsistent-answer`. */
export function encodeAnswer(answer: HandlerAnswer): EncodedAnswer {
  const checked = checkedAnswer(answer);
  return { ...checked, outputHash: hashOf(checked) };
}

/** To be hashed while its first bytes are on their way. Throws ArterysError `inconsistent-answer`. */
export function checkedAnswer(answer: HandlerAnswer): CheckedAnswer {
  const bodies = checkAnswer(answer);
  return { jsonText: textOf(answer.json as unknown as Json), bodies };
}

function textOf(json: Json): string {
  try {
    return jsonText(json);
  } catch (cause) {
    // Infinite numbers, functions, an object inside of itself.
    throw new ArterysError('inconsistent-answer', 'The JSON holds what JSON cannot say', { where: 'json', cause });
  }
}
