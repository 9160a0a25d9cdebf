/** What all operations share: ids, times, pages, the form of a refusal, and lists and numbers as a query string carries them. */
import { z } from 'zod';

/** Longest id that is looked up at all; ours are UUIDs (36), model addresses have a name of 64 and a version. */
const LONGEST_ID = 200;
const LARGEST_PAGE = 500;
const DEFAULT_PAGE = 50;
/** Longest list in a query: more is a mistake or an attack. */
const MOST_IN_A_LIST = 64;

/** Longest Idempotency-Key that is taken. */
export const LONGEST_IDEMPOTENCY_KEY = 200;

/** Neither NUL nor half of a surrogate pair, which no database keeps and nobody means. */
const CLEAN = /^[^\0\p{Cs}]*$/u;

/** An id in a path. What is no id of ours is simply not found. */
export const id = z.string().min(1).max(LONGEST_ID).regex(CLEAN);

/** ISO 8601 with date, time and zone. */
export const time = z.iso.datetime({ offset: true });

/** Text that people wrote. */
export const text = (longest: number) => z.string().max(longest).regex(CLEAN);

/** A number as a query carries it; from code it may be a number. */
export const integer = (least: number, most: number) =>
  z
    .union([z.number(), z.string().regex(/^-?\d{1,15}$/, 'must be a whole number')])
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** `true` or `false` as a query carries it; from code it may be a boolean. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false'])])
  .transform((value) => value === true || value === 'true');

/** `a,b` or `?x=a&x=b` in a query; from code an array. */
export const listOf = <S extends z.ZodType<unknown, string>>(item: S) =>
  z
    .union([z.string(), z.array(item)])
    .transform((value): unknown[] => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value))
    .pipe(z.array(item).min(1).max(MOST_IN_A_LIST));

/** The part of a query that asks for a page. */
export const pageWish = {
  cursor: text(2000).optional().describe('`next` of the page before'),
  limit: integer(1, LARGEST_PAGE).default(DEFAULT_PAGE).describe('Most items of one page'),
};

export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    next: z.string().optional().describe('`cursor` of the next page; absent on the last'),
  });

/** Who did something: never a patient. */
export const actor = z.object({
  kind: z.enum(['person', 'key', 'local', 'protocol', 'system']),
  id: z.string(),
  name: z.string(),
});

/** Every refusal: problem+json (RFC 9457) with our kind, place and next step. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  kind: z.string().describe('From a closed list of each module: what programs decide on'),
  where: z.string().optional().describe('Field, UID, entry or offset that failed'),
  next: z.string().optional().describe('What can be done about it'),
  instance: z.string().optional().describe('Id of the request: what the log of the server knows it by'),
  fields: z
    .array(z.object({ path: z.string(), fault: z.string() }))
    .optional()
    .describe('What does not fit, field by field'),
});

export type Problem = z.infer<typeof problem>;

const LONGEST_LINE = 256;
/** Texts that people write of models. */
export const line = text(LONGEST_LINE);
export const description = text(10_000);
export const language = text(16).describe('Language of the texts, e.g. "en"');
