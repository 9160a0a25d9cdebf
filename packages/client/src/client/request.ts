/** From an operation and its input to an HTTP request: which field goes into the path, the query, the body. */
import type { z } from 'zod';
import type { Operation } from '../operation.js';
import type { CallOptions, Upload } from './call-types.js';

export interface PreparedRequest {
  readonly path: string;
  readonly init: RequestInit & { duplex?: 'half' };
}

type Input = Readonly<Record<string, unknown>>;

/** `input` has path parameters, query and JSON fields side by side; each operation's names differ (a test proves it). */
export function prepareRequest(operation: Operation, input: Input, options: CallOptions): PreparedRequest {
  const left = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const take = (name: string): unknown => {
    const value = left.get(name);
    left.delete(name);
    return value;
  };
  const path = operation.path.replace(/:([a-zA-Z]+)/g, (_, name: string) => {
    const value = take(name);
    if (typeof value !== 'string' || value === '') throw new TypeError(`'${name}' is missing: ${operation.summary}`);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const name of fieldsOf(operation.query)) {
    const value = take(name);
    if (value !== undefined) query.set(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const headers = new Headers({ accept: acceptOf(operation) });
  if (options.idempotencyKey !== undefined) headers.set('idempotency-key', options.idempotencyKey);
  if (options.range) headers.set('range', `bytes=${options.range.first}-${options.range.last ?? ''}`);
  const init: PreparedRequest['init'] = { method: operation.method, headers, signal: options.signal ?? null };
  if (operation.body && 'kind' in operation.body && operation.body.kind === 'binary') {
    headers.set('content-type', options.contentType ?? operation.body.mediaTypes[0]);
    const body = bodyOf(take('body') as Upload);
    init.body = body;
    // Asked for by fetch for every streamed body: the answer is read when the request was sent.
    if (body instanceof ReadableStream) init.duplex = 'half';
  } else if (operation.body) {
    headers.set('content-type', 'application/json');
    init.body = JSON.stringify(Object.fromEntries(left));
    left.clear();
  }
  for (const name of left.keys()) throw new TypeError(`'${name}' is no field of: ${operation.summary}`);
  return { path: query.size > 0 ? `${path}?${query}` : path, init };
}

/** Names of an object schema's fields. */
export function fieldsOf(schema: z.ZodType | undefined): readonly string[] {
  if (!schema) return [];
  return 'shape' in schema ? Object.keys(schema.shape as object) : [];
}

function acceptOf({ answer }: Operation): string {
  if (answer && 'kind' in answer) {
    if (answer.kind === 'events') return 'text/event-stream';
    if (answer.kind === 'binary') return '*/*';
  }
  return 'application/json';
}

function bodyOf(upload: Upload): Exclude<Upload, AsyncIterable<Uint8Array>> | ReadableStream<Uint8Array> {
  if (upload instanceof Blob || upload instanceof ArrayBuffer || ArrayBuffer.isView(upload)) return upload;
  if (upload instanceof ReadableStream) return upload;
  const iterator = upload[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason) {
      await iterator.return?.(reason);
    },
  });
}
