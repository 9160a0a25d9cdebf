/** What a handler of an operation gets and gives; types only. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Binary, Events, Operation } from '@isocenter/client';
import type { z } from 'zod';
import type { Actor } from '../accounts/actor.js';

/** A body of bytes: counted, limited and watched while it is read; never held in memory. */
export interface Upload {
  readonly stream: AsyncIterable<Uint8Array>;
  /** One of the operation's, lower case, without parameters. */
  readonly mediaType: string;
  /** What the client says; not to be believed before the stream ends. */
  readonly declaredBytes: number | undefined;
}

/** An answer of bytes. Ranges, HEAD and If-None-Match are done here, so `open` runs only when bytes are wanted. */
export interface FileAnswer {
  readonly mediaType: string;
  readonly bytes: number;
  /** Strong validator; `sha256` of the bytes. */
  readonly sha256?: string;
  /** For `Content-Disposition`; a name of ours, never one that a client sent. */
  readonly fileName?: string;
  open(range?: { readonly first: number; readonly last: number }): Promise<Readable>;
  /** Called instead of `open` when no bytes are wanted after all: HEAD, 304, a range that is not there. */
  dismiss?(): void;
}

/** The session cookie of a browser. */
export interface CallSession {
  /** The token that came with the request. */
  readonly token: string | undefined;
  start(token: string, expiresAt: Date): void;
  end(): void;
}

export interface Call<P = undefined, Q = undefined, B = undefined> {
  /** For public operations an actor that may do nothing. */
  readonly actor: Actor;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly requestId: string;
  /** Of the client, by trusted proxies if there are any. */
  readonly address: string;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client goes away before its answer is complete, and when event streams must end. */
  readonly signal: AbortSignal;
  readonly session: CallSession;
  /** Sets a header of the answer. */
  header(name: 'location' | 'retry-after' | 'link' | 'deprecation', value: string): void;
}

export type Given<S> = [S] extends [never]
  ? undefined
  : S extends Binary
    ? Upload
    : S extends z.ZodType
      ? z.output<S>
      : undefined;

// A handler gives what the schema's output is; it is encoded (the other way round) into JSON, so dates and codecs work.
export type Wanted<A> = [A] extends [never]
  ? // biome-ignore lint/suspicious/noConfusingVoidType: such a handler returns nothing, and `undefined` would make it say so.
    void
  : A extends Binary
    ? FileAnswer
    : A extends Events<infer E>
      ? AsyncIterable<z.output<E>>
      : A extends z.ZodType
        ? z.output<A>
        : never;

export type CallOf<O> =
  O extends Operation<infer P, infer Q, infer B, infer _A> ? Call<Given<P>, Given<Q>, Given<B>> : never;

export type AnswerOf<O> = O extends Operation<infer _P, infer _Q, infer _B, infer A> ? Wanted<A> : never;

export interface ImplementOptions {
  /** Of a binary body, after decoding; default HttpLimits.uploadBytes. */
  readonly maximumBytes?: number;
  /** Takes `Content-Encoding: gzip`, inflated under the same limit. */
  readonly gzip?: boolean;
  /** JSON bodies; default HttpLimits.jsonBytes. */
  readonly jsonBytes?: number;
  /** The body may be missing. */
  readonly optionalBody?: boolean;
}
