/** The port of accounts, sessions and keys, as the HTTP border uses it. */
import type { Permission, Role } from '@isocenter/client';
import type { Actor } from './actor.js';

export interface Credentials {
  readonly sessionToken?: string;
  /** API key or the local owner's token, from `Authorization: Bearer …`. */
  readonly bearer?: string;
  readonly address: string;
}

export interface Accounts {
  /** Undefined: nobody. Throws AccountError `locked`, `rate-limited`. Costs no argon2 and, for known keys, no query per request (cached for seconds, revocations at once in this process). */
  authenticate(credentials: Credentials): Promise<Actor | undefined>;
  signIn(
    name: string,
    password: string,
    address: string,
  ): Promise<{ readonly token: string; readonly expiresAt: Date; readonly actor: Actor }>;
  signOut(sessionToken: string): Promise<void>;
  /** True until the first administrator exists. */
  needsSetup(): Promise<boolean>;
  /** The one-time token of the link that first start (or `isocenter users invite`) prints. */
  invite(role: Role, actor: Actor, name?: string): Promise<{ readonly token: string; readonly expiresAt: Date }>;
  acceptInvite(
    token: string,
    name: string,
    password: string,
    address: string,
  ): Promise<{ readonly token: string; readonly expiresAt: Date; readonly actor: Actor }>;
  createKey(
    wish: {
      readonly name: string;
      readonly role?: Role;
      readonly scopes?: readonly Permission[];
      readonly expiresAt?: Date;
    },
    actor: Actor,
  ): Promise<{ readonly id: string; readonly key: string }>;
}
