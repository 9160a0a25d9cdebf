/** One request as its handler sees it; what costs something is made when it is asked for. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../accounts/actor.js';
import type { Call, CallSession } from './call.js';
import type { HttpContext } from './context.js';
import { clearCookie, cookieOf, SESSION_COOKIE, setCookie } from './cookies.js';

export class RequestCall implements Call<unknown, unknown, unknown> {
  readonly context: HttpContext;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  params: unknown;
  query: unknown;
  body: unknown;
  readonly #endsWithServer: boolean;
  #signal: AbortSignal | undefined;

  /** `endsWithServer`: the signal is also aborted when the server begins to go down. */
  constructor(context: HttpContext, request: FastifyRequest, reply: FastifyReply, endsWithServer: boolean) {
    this.context = context;
    this.request = request;
    this.reply = reply;
    this.#endsWithServer = endsWithServer;
  }

  get actor(): Actor {
    return this.request.actor;
  }

  get requestId(): string {
    return this.request.id;
  }

  get address(): string {
    return this.request.ip;
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }

  get session(): CallSession {
    const { request, reply, context } = this;
    const secure = isSecure(request, context);
    return {
      token: cookieOf(request, SESSION_COOKIE),
      start: (token, expiresAt) => setCookie(reply, SESSION_COOKIE, token, { expiresAt, secure }),
      end: () => clearCookie(reply, SESSION_COOKIE, secure),
    };
  }

  header(name: string, value: string): void {
    this.reply.header(name, value);
  }

  #makeSignal(): AbortSignal {
    const gone = goneSignal(this.reply);
    return this.#endsWithServer ? AbortSignal.any([gone, this.context.drain.signal]) : gone;
  }
}

/** Aborted when the connection ends before the answer is complete. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const { raw } = reply;
  let finished = false;
  raw.once('finish', () => {
    finished = true;
  });
  const check = (): void => {
    if (!finished) controller.abort();
  };
  if (raw.destroyed) check();
  else raw.once('close', check);
  return controller.signal;
}

/** Whether browsers reach us by https, directly or through the proxy. */
export function isSecure(request: FastifyRequest, { settings }: HttpContext): boolean {
  return request.protocol === 'https' || settings.publicUrl?.startsWith('https:') === true;
}
