/** Every route with who may call it, as registered: what the test of roles × routes walks through. */
import type { FastifyInstance } from 'fastify';
import { permissionOf, type RouteAccess, type RouteEntry } from './access.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call it; a route without it cannot be registered. */
    readonly access?: RouteAccess;
    /** Also served when connections run out or the server is going down: health. */
    readonly always?: boolean;
    /** Takes `Content-Encoding: gzip`. */
    readonly gzip?: boolean;
  }
  interface FastifyInstance {
    readonly routesTable: readonly RouteEntry[];
  }
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
