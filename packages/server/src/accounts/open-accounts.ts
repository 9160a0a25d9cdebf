/** Puts accounts together: people, sessions, keys, links, and sign-in by password or provider, over one database. */
import type { AuditLog } from '../audit/audit-log.js';
import type { Database } from '../state/database.js';
import type { AccountContext } from './account-context.js';
import { ACCOUNT_DEFAULTS, type AccountSettings } from './account-settings.js';
import type { Accounts } from './accounts.js';
import { Authenticator } from './authenticate.js';
import { createKey, keysPort } from './keys.js';
import { Links } from './links.js';
import type { ProviderSettings } from './oidc/provider-settings.js';
import { openProviderSignIn } from './oidc/provider-sign-in.js';
import { PasswordHasher } from './password-hasher.js';
import { endSession, sessionsPort } from './sessions.js';
import { PasswordSignIn } from './sign-in.js';
import { SignInPlaces } from './sign-in-places.js';
import { TokenBuckets } from './token-buckets.js';
import { looksLikeToken } from './tokens.js';
import { usersPort } from './users.js';

export interface AccountsOptions {
  readonly db: Database;
  readonly audit: AuditLog;
  readonly clock?: () => Date;
  readonly settings?: Partial<AccountSettings>;
  /** Of the owner of the data directory (newLocalToken); accepted from loopback only. Undefined: there is none. */
  readonly localToken?: string;
  readonly hasher?: PasswordHasher;
  /** Sign-in with OpenID Connect. Throws AccountError `bad-settings`. */
  readonly provider?: ProviderSettings;
}

export function openAccounts(options: AccountsOptions): Accounts {
  const { db, audit, clock = () => new Date(), localToken } = options;
  const settings = { ...ACCOUNT_DEFAULTS, ...options.settings };
  const writes = new Set<Promise<unknown>>();
  const context: AccountContext = {
    db,
    audit,
    clock,
    settings,
    hasher: options.hasher ?? new PasswordHasher(),
    attempts: new TokenBuckets(settings.attemptsAtOnce, settings.attemptEveryMs, clock),
    forget: () => authenticator.forget(),
    later: (write) => {
      const settled = write.then(
        () => undefined,
        () => undefined,
      );
      writes.add(settled);
      void settled.then(() => writes.delete(settled));
    },
  };
  const authenticator = new Authenticator(context, localToken);
  const places = new SignInPlaces(context);
  const links = new Links(context, places);
  const passwords = new PasswordSignIn(context, places);

  return {
    authenticate: (credentials) => authenticator.authenticate(credentials),
    signIn: (name, password, address, previous) => passwords.signIn(name, password, address, previous),
    changePassword: (actor, password, wanted, address) => passwords.changePassword(actor, password, wanted, address),
    async signOut(sessionToken) {
      if (!looksLikeToken(sessionToken)) return;
      await endSession(context, sessionToken);
    },
    needsSetup: () => links.needsSetup(),
    setupLink: () => links.setupLink(),
    invite: (role, actor, name) => links.invite(role, actor, name),
    inspectLink: (token, address) => links.inspect(token, address),
    acceptInvite: (token, name, password, address) => links.accept(token, name, password, address),
    createKey: (wish, actor) => createKey(context, wish, actor),
    provider: options.provider && openProviderSignIn(context, options.provider),
    users: usersPort(context, places, links),
    keys: keysPort(context),
    sessions: sessionsPort(context),
    async sweep() {
      const now = clock();
      const idle = new Date(now.getTime() - settings.sessionIdleMs);
      await db
        .deleteFrom('account_session')
        .where((either) => either.or([either('expires_at', '<=', now), either('last_seen_at', '<=', idle)]))
        .execute();
      await db.deleteFrom('provider_login').where('expires_at', '<=', now).execute();
      await links.sweep();
      await places.sweep();
    },
    async close() {
      await Promise.all(writes);
    },
  };
}
