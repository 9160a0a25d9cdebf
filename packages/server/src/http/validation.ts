/** What a zod schema says against a request, as a list of fields without a word that the client wrote. */
import type { z } from 'zod';
import { type FieldFault, HttpError } from './http-error.js';

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** More are not told: who sends more has other worries. */
const MOST_FIELDS = 20;

export type Part = 'path' | 'query' | 'body';

/** The parsed value. Throws HttpError `validation` with the fields that do not fit. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part: Part): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, MOST_FIELDS).map((issue) => faultOf(schema, issue, part));
  throw new HttpError('validation', `The ${part} does not fit what this address takes`, {
    where: fields[0]?.path ?? part,
    next: 'GET /isocenter/v1/openapi.json describes every field.',
    fields,
  });
}

function faultOf(schema: Schema, issue: Issue, part: Part): FieldFault {
  const inner = issue.code === 'invalid_union' ? issue.errors[0]?.[0] : undefined;
  return { path: [part, ...namesOf(schema, issue.path)].join('.'), fault: sentenceOf(inner ?? issue) };
}

function sentenceOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `has ${issue.keys.length} field(s) that are not known here`;
    case 'invalid_format':
      return `must be a ${issue.format}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'custom':
      // Written in our schemas.
      return issue.message;
    default:
      return 'does not fit';
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' || origin === 'set' ? ' items' : '';
}

/** The path with every key that is not in the schema as `*`: a client may have put a name there. */
function namesOf(schema: Schema, path: readonly PropertyKey[]): readonly string[] {
  const names: string[] = [];
  let here: Schema | undefined = schema;
  for (const key of path) {
    here = here === undefined ? undefined : unwrap(here);
    const next: Schema | undefined = here === undefined ? undefined : childOf(here, key);
    const known = typeof key === 'number' || (next !== undefined && !isRecord(here));
    names.push(known ? String(key) : '*');
    here = next;
  }
  return names;
}

interface Definition {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly element?: Schema;
  readonly valueType?: Schema;
}

const definitionOf = (schema: Schema): Definition => schema._zod.def as unknown as Definition;

function isRecord(schema: Schema | undefined): boolean {
  return schema !== undefined && definitionOf(schema).type === 'record';
}

function unwrap(schema: Schema): Schema {
  const { innerType, in: input } = definitionOf(schema);
  const inner = innerType ?? input;
  return inner === undefined ? schema : unwrap(inner);
}

function childOf(schema: Schema, key: PropertyKey): Schema | undefined {
  const { shape, element, valueType } = definitionOf(schema);
  if (shape !== undefined) return Object.hasOwn(shape, key) ? shape[key as string] : undefined;
  return typeof key === 'number' ? element : valueType;
}
