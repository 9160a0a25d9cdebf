/** Pages over rows that carry a rising number: the cursor is the last number seen, opaque to clients. */
import { Failure } from '@isocenter/volume';

export class PagingError extends Failure<'bad-cursor'> {}

export interface PageWish {
  readonly cursor?: string;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

const CURSOR = /^n([0-9]{1,18})$/;

export function cursorOf(number: string | number): string {
  return Buffer.from(`n${number}`).toString('base64url');
}

/** Throws PagingError `bad-cursor`. */
export function numberOf(cursor: string): string {
  const [, number] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (number !== undefined) return number;
  throw badCursor();
}

/** For lists whose cursor is made of something else than a number, too. */
export function badCursor(): PagingError {
  return new PagingError('bad-cursor', 'This is no cursor of this list', {
    where: 'cursor',
    next: 'Use the cursor that the page before gave, or none for the first page.',
  });
}

/** `rows`: one more than `limit` when there are more; in the order of the list. */
export function pageOf<R extends { readonly number: string | number }, T>(
  rows: readonly R[],
  limit: number,
  item: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(item),
    ...(rows.length > limit && last ? { next: cursorOf(last.number) } : {}),
  };
}
