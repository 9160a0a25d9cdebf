/**
 * Refusals in the words of upstream's server: 500 is `internal server error`, whatever it was; what the client did wrong is one
 * line of text. In `strict` our problem documents stay.
 */

import type { ProblemDocument } from '../../http/problem.js';
import type { Refusal } from '../../http/routes-table.js';

export const TEXT = 'text/html; charset=utf-8';
const PLAIN = 'text/plain; charset=utf-8';
export const INTERNAL = 'internal server error';
const FAULT = 500;

export function refuseAsArterys({ status, detail, where, next }: ProblemDocument): Refusal {
  if (status === FAULT) return { status, mediaType: TEXT, body: INTERNAL };
  const place = where === undefined ? '' : ` (${where})`;
  return { status, mediaType: PLAIN, body: `${detail}${place}.${next === undefined ? '' : ` ${next}`}\n` };
}
