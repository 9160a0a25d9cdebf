/** The OpenAPI 3.1 document of a list of operations: the same data that the routes are made from. */
import type { Operation } from '@isocenter/client';
import { z } from 'zod';
import { PROBLEM_TYPE } from './problem.js';

/** A piece of the document; JSON by construction. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { [key: string]: Json };

const VERSION = '3.1.0';
/** JSON Schema of OpenAPI 3.1 (OAS §4.8.24). */
const DIALECT = 'draft-2020-12';

const problemSchema: JsonObject = {
  type: 'object',
  description: 'RFC 9457, with our own fields',
  required: ['type', 'title', 'status', 'detail', 'instance', 'requestId', 'kind'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'A page of this server that explains the kind' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'Id of the request, as in the header X-Request-Id and in the log' },
    requestId: { type: 'string' },
    kind: { type: 'string', description: 'For programs: one word of a closed list per area' },
    where: { type: 'string', description: 'Field, UID or offset that failed' },
    next: { type: 'string', description: 'What can be done about it' },
    fields: {
      type: 'array',
      items: { type: 'object', properties: { path: { type: 'string' }, fault: { type: 'string' } } },
    },
  },
};

/** `version`: of the program. */
export function openApiDocument(operations: readonly Operation[], version: string): JsonObject {
  const schemas = new Schemas();
  const paths: Record<string, JsonObject> = {};
  for (const operation of operations) {
    const path = operation.path.replace(/:([A-Za-z0-9_]+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][operation.method.toLowerCase()] = describe(operation, schemas);
  }
  return {
    openapi: VERSION,
    info: {
      title: 'Isocenter',
      version,
      description: 'Runs medical-imaging models as durable jobs. Every refusal is a problem document.',
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }, { session: [] }],
    paths,
    components: {
      schemas: { Problem: problemSchema, ...schemas.all },
      responses: {
        Problem: {
          description: 'Refused; `kind` says why, `next` what to do',
          headers: {
            'X-Request-Id': { schema: { type: 'string' } },
            'Retry-After': { description: 'With 429 and 503: seconds', schema: { type: 'integer' } },
          },
          content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, iso_…' },
        session: { type: 'apiKey', in: 'cookie', name: 'isocenter_session', description: 'Set by signing in' },
      },
    },
  };
}

function describe(operation: Operation, schemas: Schemas): JsonObject {
  const { permission, status } = operation;
  const open = permission === 'public';
  const refused: JsonObject = { default: { $ref: '#/components/responses/Problem' } };
  return {
    operationId: nameOf(operation),
    summary: operation.summary,
    tags: [operation.tag],
    'x-permission': permission,
    ...(open ? { security: [] } : {}),
    parameters: [
      ...parametersOf('path', operation.params, schemas),
      ...parametersOf('query', operation.query, schemas),
      ...(operation.idempotent === true ? [idempotencyKey] : []),
    ],
    ...(operation.body === undefined ? {} : { requestBody: bodyOf(operation.body, schemas) }),
    responses: {
      [String(status ?? (operation.answer === undefined ? 204 : 200))]: answerOf(operation.answer, schemas),
      ...refused,
    },
  };
}

const idempotencyKey: JsonObject = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key of the same caller does it once',
  schema: { type: 'string' },
};

/** `GET /isocenter/v1/jobs/:job/events` → `getJobsByJobEvents`. */
function nameOf({ method, path }: Operation): string {
  const words = path
    .split('/')
    .slice(3)
    .flatMap((part) => (part.startsWith(':') ? ['by', part.slice(1)] : part.split(/[^A-Za-z0-9]+/)));
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function parametersOf(place: 'path' | 'query', schema: z.ZodType | undefined, schemas: Schemas): JsonObject[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemas.of(schema, 'input') as {
    properties?: Record<string, JsonObject>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...own }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: own,
  }));
}

function bodyOf(body: NonNullable<Operation['body']>, schemas: Schemas): JsonObject {
  if (!('kind' in body))
    return { required: true, content: { 'application/json': { schema: schemas.of(body, 'input') } } };
  return { required: true, content: Object.fromEntries(body.mediaTypes.map((type) => [type, bytes(type)])) };
}

/** Raw bytes have no schema in OpenAPI 3.1 beyond their media type (OAS §4.8.14.2). */
const bytes = (type: string): JsonObject => ({ schema: { contentMediaType: type } });

function answerOf(answer: Operation['answer'], schemas: Schemas): JsonObject {
  if (answer === undefined) return { description: 'Done' };
  if (!('kind' in answer))
    return { description: 'Done', content: { 'application/json': { schema: schemas.of(answer, 'output') } } };
  if (answer.kind === 'binary')
    return {
      description: 'The bytes; one range can be asked for',
      content: Object.fromEntries(answer.mediaTypes.map((type) => [type, bytes(type)])),
    };
  return {
    description:
      'Server-sent events; `data` of each is JSON as in x-event. Lines that begin with `:` are to be ignored',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
    'x-event': schemas.of(answer.event, 'output'),
  };
}

/** JSON Schemas of zod schemas; those with an id stand once under components. */
class Schemas {
  readonly all: JsonObject = {};

  of(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const made = z.toJSONSchema(schema, {
      target: DIALECT,
      io: io === 'output' ? 'output' : 'input',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        // Classes of Unicode are no regular expression to the readers of other languages.
        if (jsonSchema.pattern?.includes('\\p{') === true) delete jsonSchema.pattern;
        if (zodSchema._zod.def.type !== 'date') return;
        jsonSchema.type = 'string';
        jsonSchema.format = 'date-time';
      },
    }) as JsonObject;
    const { $schema: _dialect, $defs, ...own } = made;
    const suffix = io === 'input' ? 'Input' : '';
    for (const [name, definition] of Object.entries(($defs ?? {}) as JsonObject))
      this.all[name + suffix] = moved(definition, suffix);
    return moved(own, suffix) as JsonObject;
  }
}

/** References from `$defs` to components; zod puts its own `id` beside them. */
function moved(value: Json, suffix: string): Json {
  if (Array.isArray(value)) return value.map((item: Json) => moved(item, suffix));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? [key, `${inner.replace('#/$defs/', '#/components/schemas/')}${suffix}`]
        : [key, moved(inner, suffix)],
    ),
  );
}
