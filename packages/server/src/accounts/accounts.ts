/** The port of accounts, sessions and keys, as the HTTP border uses it; how they work: docs/how-to/accounts.md. */
import type { Permission, Role } from '@isocenter/client';
import type { Actor } from './actor.js';

export interface Credentials {
  readonly sessionToken?: string;
  /** API key or the local owner's token, from `Authorization: Bearer …`. */
  readonly bearer?: string;
  readonly address: string;
  /** Only asks whether they are still good: a session that nobody uses goes on idling, a key is not used. */
  readonly looking?: boolean;
}

/** A fresh session: the token goes into the cookie, and nowhere else. */
export interface SignedIn {
  readonly token: string;
  readonly expiresAt: Date;
  readonly actor: Actor;
}

/** The one-time token of a link; it is shown once and stored only as a hash. */
export interface OneTimeLink {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface Accounts {
  /** Undefined: nobody. Throws AccountError `rate-limited`. Costs no argon2 and, for known keys and sessions, no query per request (cached for seconds, revocations at once in this process). */
  authenticate(credentials: Credentials): Promise<Actor | undefined>;
  /** `previous`: a session of the same browser that this one replaces. Throws `wrong-credentials`, `locked`, `rate-limited`, `busy`. */
  signIn(name: string, password: string, address: string, previous?: string): Promise<SignedIn>;
  signOut(sessionToken: string): Promise<void>;
  /** Ends all other sessions and gives a new one. Only for people with a password. Throws as `signIn`, `weak-password`, `forbidden`. */
  changePassword(actor: Actor, password: string, wanted: string, address: string): Promise<SignedIn>;
  /** True until the first administrator exists. */
  needsSetup(): Promise<boolean>;
  /** The link that first start prints; voids the one before. Undefined when an administrator exists. */
  setupLink(): Promise<OneTimeLink | undefined>;
  /** The one-time token of the link that `isocenter users invite` prints; with `name` only for that name. */
  invite(role: Role, actor: Actor, name?: string): Promise<OneTimeLink>;
  /** What a link is for, to be shown before it is used. Throws `bad-invite`, `rate-limited`. */
  inspectLink(token: string, address: string): Promise<LinkInfo>;
  /** Uses a link of `setupLink`, `invite` or `users.resetLink` (there `name` must be the account's). Throws `bad-invite`, `weak-password`, `bad-name`, `name-taken`, `rate-limited`, `busy`. */
  acceptInvite(token: string, name: string, password: string, address: string): Promise<SignedIn>;
  /** Throws `forbidden` (also for a role or scope beyond the actor's own), `bad-key`. */
  createKey(wish: KeyWish, actor: Actor): Promise<{ readonly id: string; readonly key: string }>;
  /** Undefined when no provider is configured. */
  readonly provider: ProviderSignIn | undefined;
  readonly users: Users;
  readonly keys: Keys;
  readonly sessions: Sessions;
  /** Removes what expired: sessions, links, sign-in failures. Every minute or so, by one of the servers. */
  sweep(): Promise<void>;
  /** Waits for writes that nobody waited for (last use of keys and sessions). */
  close(): Promise<void>;
}

/** Sign-in with OpenID Connect; the routes /auth/oidc/* are wired to these. */
export interface ProviderSignIn {
  /** For the button. */
  readonly label: string;
  /** Redirect to `url`, set `cookie` (HttpOnly, Secure, SameSite=Lax, path /auth/oidc) until `expiresAt`. Throws `provider-unavailable`, `rate-limited`. */
  begin(wish: {
    readonly address: string;
    /** A path of this server to go to afterwards; anything else is ignored. */
    readonly returnTo?: string;
  }): Promise<{ readonly url: string; readonly cookie: string; readonly expiresAt: Date }>;
  /** `query`: all of the callback's parameters. Throws `bad-login`, `no-access`, `provider-refused`, `provider-unavailable`, `rate-limited`. */
  finish(answer: {
    readonly query: URLSearchParams;
    readonly cookie: string | undefined;
    readonly address: string;
    readonly previous?: string;
  }): Promise<SignedIn & { readonly returnTo: string | undefined }>;
}

export interface KeyWish {
  readonly name: string;
  /** Default: service. */
  readonly role?: Role;
  /** Default: all that the role may. */
  readonly scopes?: readonly Permission[];
  /** Default: never. */
  readonly expiresAt?: Date;
}

export interface LinkInfo {
  readonly purpose: 'setup' | 'invite' | 'reset';
  readonly role: Role;
  /** The name that must be used, if the link is for one. */
  readonly name: string | undefined;
  readonly expiresAt: Date;
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** 'provider': signs in with OIDC, where the role comes from too. */
  readonly signsInWith: 'password' | 'provider';
  readonly disabled: boolean;
  readonly createdAt: Date;
  readonly lastSignInAt: Date | undefined;
}

/** All need `users.manage`, and everything that the account's role may. Throw `forbidden`, `not-found`. */
export interface Users {
  list(actor: Actor): Promise<readonly User[]>;
  /** Disabling ends the account's sessions and silences its keys. Throws `last-administrator`. */
  update(
    id: string,
    changes: { readonly role?: Role; readonly disabled?: boolean },
    actor: Actor,
    reason?: string,
  ): Promise<User>;
  /** Throws `last-administrator`. */
  remove(id: string, actor: Actor, reason?: string): Promise<void>;
  /** Forgets failed sign-ins of this name from everywhere. */
  unlock(id: string, actor: Actor): Promise<void>;
  /** A link with which the person sets a new password; their sessions end when it is used. */
  resetLink(id: string, actor: Actor): Promise<OneTimeLink>;
}

export interface KeyInfo {
  readonly id: string;
  readonly name: string;
  /** First characters of the key, to recognise it by. */
  readonly prefix: string;
  readonly createdBy: { readonly kind: Actor['kind']; readonly id: string; readonly name: string };
  readonly role: Role;
  /** Undefined: all that the role may. What the creator lost meanwhile does not work, although it stands here. */
  readonly scopes: readonly Permission[] | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  /** Within a minute. */
  readonly lastUsedAt: Date | undefined;
  readonly revokedAt: Date | undefined;
}

/** One's own with `keys.own`, everybody's with `keys.manage`. */
export interface Keys {
  list(actor: Actor): Promise<readonly KeyInfo[]>;
  /** Throws `not-found`, also for a key of somebody else that the actor may not see. */
  revoke(id: string, actor: Actor, reason?: string): Promise<void>;
}

export interface SessionInfo {
  readonly id: string;
  readonly userId: string;
  readonly userName: string;
  readonly address: string;
  readonly createdAt: Date;
  /** Within a minute. */
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

/** One's own; everybody's with `users.manage`. */
export interface Sessions {
  list(actor: Actor): Promise<readonly SessionInfo[]>;
  /** Throws `not-found`. */
  revoke(id: string, actor: Actor): Promise<void>;
}
