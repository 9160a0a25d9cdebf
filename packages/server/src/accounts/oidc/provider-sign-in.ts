/**
 * Signing in with a provider, free of any web framework: `begin` says where to send the browser and which cookie to set, `finish`
 * takes what came back. State, nonce and PKCE verifier stay in the database under the hash of that cookie, so that the
 * answer must come to the browser that asked, once, on whichever server.
 */
import { randomUUID } from 'node:crypto';
import type { Role } from '@isocenter/client';
import type { Selectable } from 'kysely';
import type { Executor } from '../../state/database.js';
import { type AccountContext, STRANGER, takeAttempt } from '../account-context.js';
import { AccountError } from '../account-error.js';
import { PROVIDER_LOGIN_MS } from '../account-settings.js';
import type { ProviderSignIn, SignedIn } from '../accounts.js';
import { limitedPlace } from '../networks.js';
import { personOf, startSession } from '../sessions.js';
import type { AccountTable } from '../tables.js';
import { looksLikeToken, newToken, sha256 } from '../tokens.js';
import { ProviderClient, type ProviderIdentity } from './provider-client.js';
import { checkProvider, type ProviderSettings } from './provider-settings.js';
import { claimValues, roleOf, shownName } from './role-claims.js';

/** A path of this server and nothing else: `//host` and `/\host` lead away. */
const OWN_PATH = /^\/(?![/\\])[\x21-\x7e]{0,500}$/;

type Account = Selectable<AccountTable>;

/** Throws AccountError `bad-settings`; does not talk to the provider yet. */
export function openProviderSignIn(context: AccountContext, wanted: ProviderSettings): ProviderSignIn {
  const settings = checkProvider(wanted);
  const client = new ProviderClient(settings);
  const { db, clock } = context;

  return {
    label: settings.label,

    async begin({ address, returnTo }) {
      takeAttempt(context, address);
      const { url, secrets } = await client.authorization();
      const cookie = newToken();
      const expiresAt = new Date(clock().getTime() + PROVIDER_LOGIN_MS);
      await db
        .insertInto('provider_login')
        .values({
          cookie_hash: sha256(cookie),
          ...secrets,
          return_to: returnTo !== undefined && OWN_PATH.test(returnTo) ? returnTo : null,
          expires_at: expiresAt,
        })
        .execute();
      return { url: url.href, cookie, expiresAt };
    },

    async finish({ query, cookie, address, previous }) {
      takeAttempt(context, address);
      const login = cookie !== undefined && looksLikeToken(cookie) ? await takeLogin(context, cookie) : undefined;
      if (!login) {
        throw new AccountError('bad-login', 'This sign-in was not begun in this browser, or too long ago', {
          next: 'Start again from the sign-in page.',
        });
      }
      const identity = await client.identity(query, login);
      const role = roleOf(claimValues(identity.claims, settings.roleClaim) ?? [], settings.roles);
      const signedIn = await db.transaction().execute(async (trx) => {
        const account = await accountOf(context, trx, identity, role);
        return account && enter(context, trx, account, address, previous);
      });
      context.forget();
      context.attempts.giveBack(limitedPlace(address));
      if (signedIn) return { ...signedIn, returnTo: login.return_to ?? undefined };
      throw new AccountError('no-access', 'The provider knows you, but you may not use this server', {
        next: 'Ask an administrator of this server to map one of your groups to a role, or to enable your account.',
      });
    },
  };
}

/** Used up by being read. */
async function takeLogin({ db, clock }: AccountContext, cookie: string) {
  return db
    .deleteFrom('provider_login')
    .where('cookie_hash', '=', sha256(cookie))
    .where('expires_at', '>', clock())
    .returningAll()
    .executeTakeFirst();
}

/** The account of issuer and subject, made or brought up to date; undefined, and audited, when they may not come in. */
async function accountOf(
  context: AccountContext,
  trx: Executor,
  identity: ProviderIdentity,
  role: Role | undefined,
): Promise<Account | undefined> {
  const known = await trx
    .selectFrom('account')
    .selectAll()
    .where('issuer', '=', identity.issuer)
    .where('subject', '=', identity.subject)
    .forUpdate()
    .executeTakeFirst();
  if (role === undefined || known?.disabled_at) {
    await refuse(context, trx, identity, known, role);
    return undefined;
  }
  return known
    ? bringUpToDate(context, trx, known, shownName(identity.claims, identity.issuer), role)
    : makeAccount(context, trx, identity, role);
}

/** Whoever lost their groups keeps no session and no key either. */
async function refuse(
  { audit, clock }: AccountContext,
  trx: Executor,
  { issuer }: ProviderIdentity,
  known: Account | undefined,
  role: Role | undefined,
): Promise<void> {
  if (known && role === undefined) {
    await trx
      .updateTable('account')
      .set({ disabled_at: known.disabled_at ?? clock() })
      .where('id', '=', known.id)
      .execute();
    await trx.deleteFrom('account_session').where('account_id', '=', known.id).execute();
    if (known.disabled_at === null)
      await audit.record(
        {
          actor: STRANGER,
          action: 'user.disabled',
          subject: { kind: 'account', id: known.id },
          reason: 'groups at the provider',
        },
        trx,
      );
  }
  await audit.record(
    {
      actor: STRANGER,
      action: 'user.sign-in-refused',
      subject: known ? { kind: 'account', id: known.id } : { kind: 'provider', id: new URL(issuer).host },
      reason: role === undefined ? 'no role at the provider' : 'account is disabled',
    },
    trx,
  );
}

async function bringUpToDate(
  { audit }: AccountContext,
  trx: Executor,
  known: Account,
  name: string,
  role: Role,
): Promise<Account> {
  if (known.role !== role)
    await audit.record(
      {
        actor: STRANGER,
        action: 'user.role-changed',
        subject: { kind: 'account', id: known.id },
        reason: 'groups at the provider',
        details: { from: known.role, to: role },
      },
      trx,
    );
  await trx.updateTable('account').set({ name, role }).where('id', '=', known.id).execute();
  return { ...known, name, role };
}

async function makeAccount(
  { audit, clock }: AccountContext,
  trx: Executor,
  { issuer, subject, claims }: ProviderIdentity,
  role: Role,
): Promise<Account> {
  const name = shownName(claims, issuer);
  const account = await trx
    .insertInto('account')
    .values({ id: randomUUID(), name, role, issuer, subject, created_at: clock() })
    // Two first sign-ins at the same moment make one account.
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doUpdateSet({ name, role }))
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit.record(
    {
      actor: personOf(account),
      action: 'user.created',
      subject: { kind: 'account', id: account.id },
      details: { role, purpose: 'provider' },
    },
    trx,
  );
  return account;
}

async function enter(
  context: AccountContext,
  trx: Executor,
  account: Account,
  address: string,
  previous: string | undefined,
): Promise<SignedIn> {
  await context.audit.record(
    {
      actor: personOf(account),
      action: 'user.signed-in',
      subject: { kind: 'account', id: account.id },
      details: { address: limitedPlace(address), with: 'provider' },
    },
    trx,
  );
  return startSession(context, trx, account, address, previous);
}
