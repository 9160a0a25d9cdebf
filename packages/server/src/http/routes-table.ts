/** Every route with who may call it, as registered: what the test of roles × routes walks through. */
import type { FastifyInstance } from 'fastify';
import { permissionOf, type RouteAccess, type RouteEntry } from './access.js';
import type { ProblemDocument } from './problem.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call it; a route without it cannot be registered. */
    readonly access?: RouteAccess;
    /** Also served when connections run out or the server is going down: health. */
    readonly always?: boolean;
    /** A refusal in the words of the route's own protocol, in place of the problem document. */
    readonly refuse?: (problem: ProblemDocument, request: FastifyRequest) => Refusal;
    /** Takes `Content-Encoding: gzip`. */
    readonly gzip?: boolean;
  }
  interface FastifyInstance {
    readonly routesTable: readonly RouteEntry[];
  }
}

/** Headers of the problem (Retry-After, WWW-Authenticate) stay unless it has the same. */
export interface Refusal {
  readonly status: number;
  readonly mediaType: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of HTTP/1.1's status line: for clients that show their users nothing else. ASCII, no line ends. */
  readonly reason?: string;
}

/** To be called before the first route. Throws while a route without `config.access` is registered. */
export function keepRoutesTable(app: FastifyInstance): void {
  const table: RouteEntry[] = [];
  app.decorate('routesTable', table as readonly RouteEntry[]);
  app.addHook('onRoute', (route) => {
    const access = route.config?.access;
    if (access === undefined)
      throw new TypeError(`Route ${String(route.method)} ${route.url} does not say who may call it: config.access`);
    for (const method of [route.method].flat())
      table.push({ method, path: route.url, access, permission: permissionOf(access) });
  });
}
