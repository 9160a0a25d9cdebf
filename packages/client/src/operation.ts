/**
 * One operation of the REST API as data. The server validates with it and makes the OpenAPI document from it, the typed
 * client calls with it, and the table of roles is read from it: one truth.
 */
import type { z } from 'zod';
import type { Permission } from './permissions.js';

/** A body or answer of bytes, with the media types it may have. */
export interface Binary {
  readonly kind: 'binary';
  readonly mediaTypes: readonly string[];
}

/** An answer of server-sent events; `data` of each is JSON of this schema. */
export interface Events<S extends z.ZodType = z.ZodType> {
  readonly kind: 'events';
  readonly event: S;
}

export interface Operation<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType | Binary = z.ZodType | Binary,
  A extends z.ZodType | Binary | Events = z.ZodType | Binary | Events,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:name` for path parameters. */
  readonly path: `/isocenter/v1/${string}`;
  readonly summary: string;
  readonly tag: string;
  /** 'public': without login; 'signed-in': any account or key. */
  readonly permission: Permission | 'public' | 'signed-in';
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer?: A;
  /** Status of success; default 200, or 204 without an answer. */
  readonly status?: 200 | 201 | 202 | 204;
  /** Takes an `Idempotency-Key` header: the same key of the same caller does it once. */
  readonly idempotent?: boolean;
}

/** Keeps the literal types of an operation. */
export function operation<
  P extends z.ZodType = never,
  Q extends z.ZodType = never,
  B extends z.ZodType | Binary = never,
  A extends z.ZodType | Binary | Events = never,
>(definition: Operation<P, Q, B, A>): Operation<P, Q, B, A> {
  return Object.freeze(definition);
}

export function binary(...mediaTypes: readonly string[]): Binary {
  return { kind: 'binary', mediaTypes };
}

export function events<S extends z.ZodType>(event: S): Events<S> {
  return { kind: 'events', event };
}
