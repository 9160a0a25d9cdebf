/** The types of the client's functions, from the operations' schemas: nothing is generated. */
import type { z } from 'zod';
import type { Binary, Events, Operation } from '../operation.js';
import type { Download } from './download.js';

/** Bytes to send: whole, or streamed (a Node stream is an AsyncIterable; a file in the browser is a Blob). */
export type Upload =
  | Blob
  | ArrayBuffer
  | Uint8Array<ArrayBuffer>
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The same key makes the same job again instead of a second one; safe to repeat after a lost connection. */
  readonly idempotencyKey?: string;
  /** Media type of an upload; default the first that the operation names. */
  readonly contentType?: string;
  /** Bytes of a download, first and last inclusive. */
  readonly range?: { readonly first: number; readonly last?: number };
}

type Fields<S> = [S] extends [never] ? unknown : S extends z.ZodType ? z.input<S> : unknown;
type BodyFields<B> = [B] extends [never]
  ? unknown
  : B extends Binary
    ? { readonly body: Upload }
    : B extends z.ZodType
      ? z.input<B>
      : unknown;
type Flat<T> = { [K in keyof T]: T[K] };

/** Path parameters, query and JSON body side by side in one object; bytes as `body`. */
export type CallInput<O> =
  O extends Operation<infer P, infer Q, infer B, infer _A> ? Flat<Fields<P> & Fields<Q> & BodyFields<B>> : never;

export type CallAnswer<O> =
  O extends Operation<infer _P, infer _Q, infer _B, infer A>
    ? [A] extends [never]
      ? Promise<void>
      : A extends Binary
        ? Promise<Download>
        : A extends Events<infer E>
          ? AsyncIterable<z.output<E>>
          : A extends z.ZodType
            ? Promise<z.output<A>>
            : never
    : never;

/** The input may be left out when nothing in it is required. */
export type Call<O> =
  Record<never, never> extends CallInput<O>
    ? (input?: CallInput<O>, options?: CallOptions) => CallAnswer<O>
    : (input: CallInput<O>, options?: CallOptions) => CallAnswer<O>;

export type ClientOf<A> = { readonly [Area in keyof A]: { readonly [Name in keyof A[Area]]: Call<A[Area][Name]> } };
