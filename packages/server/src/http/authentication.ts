/** Who calls, and may they: once per request, before a byte of the body is read. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Permission } from '@isocenter/client';
import type { FastifyRequest } from 'fastify';
import { type Actor, may } from '../accounts/actor.js';
import { allowedNetworks } from '../accounts/networks.js';
import { permissionOf, type RouteAccess } from './access.js';
import type { HttpContext } from './context.js';
import { cookieOf, SESSION_COOKIE } from './cookies.js';
import { HttpError } from './http-error.js';
import { checkNotCrossSite, checkNotRebound, checkSameSite } from './same-site.js';

/** On public routes: may do nothing. */
export const ANONYMOUS: Actor = Object.freeze({
  kind: 'protocol',
  id: 'anonymous',
  name: 'anonymous',
  role: 'service',
  scopes: Object.freeze([]),
});

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,4096})$/i;
const FORWARDED = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'] as const;

/** `looking`: asked again during a long answer, which is no use of the session. */
export type Authenticate = (request: FastifyRequest, access: RouteAccess, looking?: boolean) => Promise<Actor>;

/** Throws HttpError `unauthenticated`, `forbidden`, `cross-site`, and what Accounts throws (locked, rate-limited). */
export function authenticator(context: HttpContext): Authenticate {
  const { accounts, settings } = context;
  const isProxy = allowedNetworks(settings.trustedProxies);
  const doors = new Map(Object.entries(settings.networks).map(([door, list]) => [door, allowedNetworks(list)]));
  const isFrom = (request: FastifyRequest, door: string): boolean => {
    // A proxy that nobody named hides who is behind it, so its own address opens nothing.
    const hidden =
      FORWARDED.some((name) => request.headers[name] !== undefined) && !isProxy(request.socket.remoteAddress ?? '');
    return !hidden && doors.get(door)?.(request.ip) === true;
  };

  return async (request, access, looking = false) => {
    const permission = permissionOf(access);
    if (permission === 'public') {
      checkNotCrossSite(request, settings);
      return ANONYMOUS;
    }
    const door = typeof access === 'string' ? undefined : access;
    const given = credentialsOf(request, door?.key?.(request));
    if (door?.secret !== undefined && isSame(given.bearer, door.secret)) return doorActor(door.door, door.permission);
    if (given.bearer === undefined && given.sessionToken === undefined) {
      if (door !== undefined && door.withoutLogin !== false && isFrom(request, door.door)) {
        // Its network is all that such a client proves, and a browser in it would lend that to any page.
        checkNotCrossSite(request, settings);
        checkNotRebound(request, settings);
        return doorActor(door.door, door.permission);
      }
      throw unauthenticated(false);
    }
    const actor = await accounts.authenticate({ ...given, address: request.ip, looking });
    if (actor === undefined) throw unauthenticated(given.bearer !== undefined);
    if (given.bearer === undefined) checkSameSite(request, settings);
    if (permission !== 'signed-in' && !may(actor, permission))
      throw new HttpError(
        'forbidden',
        `This needs the permission ${permission}, which this account or key does not have`,
        {
          next: 'Ask an administrator for a role or key that has it.',
        },
      );
    return actor;
  };
}

function doorActor(door: string, permission: Permission): Actor {
  return { kind: 'protocol', id: door, name: door, role: 'service', scopes: [permission] };
}

/** In a time that says nothing of where they differ. */
function isSame(given: string | undefined, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(secret));
}

function credentialsOf(
  request: FastifyRequest,
  key: string | undefined,
): { readonly bearer?: string; readonly sessionToken?: string } {
  const { authorization } = request.headers;
  const bearer = key ?? (authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]);
  if (bearer !== undefined) return { bearer };
  // A wrong Authorization header does not fall back to the cookie: the client meant something else.
  const sessionToken = authorization === undefined ? cookieOf(request, SESSION_COOKIE) : undefined;
  return sessionToken === undefined ? {} : { sessionToken };
}

function unauthenticated(keyGiven: boolean): HttpError {
  return new HttpError('unauthenticated', keyGiven ? 'This key is not valid' : 'This needs an account or a key', {
    next: 'Sign in, or send an API key as `Authorization: Bearer iso_…`.',
    headers: { 'www-authenticate': `Bearer realm="isocenter"${keyGiven ? ', error="invalid_token"' : ''}` },
  });
}
