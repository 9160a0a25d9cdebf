/** Who may call a route: said by every route that is registered, checked in one hook, listed in the table of routes. */
import type { Permission } from '@isocenter/client';
import type { FastifyRequest } from 'fastify';

/** A route for clients that cannot log in: open to the networks that the administrator named for this door. */
export interface DoorAccess {
  /** What an actor with a login needs here. */
  readonly permission: Permission;
  /** Key of HttpSettings.networks; from those networks no login is needed. */
  readonly door: string;
  /** Where this door's clients put our API key, if not into `Authorization: Bearer`; an empty one is a wrong one. */
  readonly key?: (request: FastifyRequest) => string | undefined;
  /** One for all clients, as some old products have it: whoever sends it in place of the key comes in as the door. */
  readonly secret?: string;
  /** False: also from its networks a key or the secret is needed. Default true. */
  readonly withoutLogin?: boolean;
}

/** 'public': anybody; 'signed-in': any account or key. */
export type RouteAccess = Permission | 'public' | 'signed-in' | DoorAccess;

export interface RouteEntry {
  readonly method: string;
  /** The pattern, with `:name`. */
  readonly path: string;
  readonly access: RouteAccess;
  /** What access asks for, in one word. */
  readonly permission: Permission | 'public' | 'signed-in';
}

export function permissionOf(access: RouteAccess): Permission | 'public' | 'signed-in' {
  return typeof access === 'string' ? access : access.permission;
}
