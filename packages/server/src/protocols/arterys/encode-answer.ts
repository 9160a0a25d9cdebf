/** What a handler returned, checked, as the JSON text, bodies and hash of an answer. */
import { createHash } from 'node:crypto';
import { ArterysError } from './arterys-error.js';
import { checkAnswer } from './check-answer.js';
import type { HandlerAnswer } from './handler.js';
import { type Json, jsonText } from './json-text.js';
import type { EncodedAnswer } from './messages.js';

/** Throws ArterysError `inconsistent-answer`. */
export function encodeAnswer(answer: HandlerAnswer): EncodedAnswer {
  const bodies = checkAnswer(answer);
  const text = textOf(answer.json as unknown as Json);
  const hash = createHash('sha256').update(text);
  for (const { bytes } of bodies) hash.update(bytes);
  return { jsonText: text, bodies, outputHash: hash.digest('hex') };
}

function textOf(json: Json): string {
  try {
    return jsonText(json);
  } catch (cause) {
    // Infinite numbers, functions, an object inside of itself.
    throw new ArterysError('inconsistent-answer', 'The JSON holds what JSON cannot say', { where: 'json', cause });
  }
}
