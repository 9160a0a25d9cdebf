/** Sessions of people: an opaque token in a cookie, its hash in the database, ending when idle, after a day's work, or at once. */
import { randomUUID } from 'node:crypto';
import type { Role } from '@isocenter/client';
import type { Executor } from '../state/database.js';
import { isUuid } from '../state/uuid.js';
import type { AccountContext } from './account-context.js';
import { AccountError } from './account-error.js';
import { LAST_USE_MS } from './account-settings.js';
import type { SessionInfo, Sessions, SignedIn } from './accounts.js';
import { type Actor, may } from './actor.js';
import { newToken, sha256 } from './tokens.js';

export interface SessionRecord {
  readonly id: string;
  readonly actor: Actor;
  readonly expiresAt: Date;
  lastSeenAt: Date;
}

/** A new session, in the transaction that signs in; `previous` (of the same browser) ends, so a planted token is worthless. */
export async function startSession(
  { settings, clock }: AccountContext,
  executor: Executor,
  account: { readonly id: string; readonly name: string; readonly role: Role },
  address: string,
  previous?: string,
): Promise<SignedIn> {
  const now = clock();
  const token = newToken();
  const expiresAt = new Date(now.getTime() + settings.sessionMaximumMs);
  if (previous !== undefined) {
    await executor.deleteFrom('account_session').where('token_hash', '=', sha256(previous)).execute();
  }
  await executor
    .insertInto('account_session')
    .values({
      id: randomUUID(),
      token_hash: sha256(token),
      account_id: account.id,
      address,
      created_at: now,
      last_seen_at: now,
      expires_at: expiresAt,
    })
    .execute();
  await executor.updateTable('account').set({ last_sign_in_at: now }).where('id', '=', account.id).execute();
  return { token, expiresAt, actor: personOf(account) };
}

/** Signs out; nothing happens when the session is gone already. */
export async function endSession(context: AccountContext, token: string): Promise<void> {
  await context.db.transaction().execute(async (trx) => {
    const gone = await trx
      .deleteFrom('account_session')
      .where('token_hash', '=', sha256(token))
      .returning('account_id')
      .executeTakeFirst();
    if (!gone) return;
    const account = await trx
      .selectFrom('account')
      .select(['id', 'name', 'role'])
      .where('id', '=', gone.account_id)
      .executeTakeFirstOrThrow();
    const subject = { kind: 'account', id: account.id };
    await context.audit.record({ actor: personOf(account), action: 'user.signed-out', subject }, trx);
  });
  context.forget();
}

export function personOf(account: { readonly id: string; readonly name: string; readonly role: Role }): Actor {
  return Object.freeze({ kind: 'person', id: account.id, name: account.name, role: account.role });
}

export async function loadSession({ db }: AccountContext, tokenHash: Buffer): Promise<SessionRecord | undefined> {
  const row = await db
    .selectFrom('account_session')
    .innerJoin('account', 'account.id', 'account_session.account_id')
    .select([
      'account_session.id as session_id',
      'account.id',
      'account.name',
      'account.role',
      'expires_at',
      'last_seen_at',
    ])
    .where('token_hash', '=', tokenHash)
    .where('disabled_at', 'is', null)
    .executeTakeFirst();
  return row && { id: row.session_id, actor: personOf(row), expiresAt: row.expires_at, lastSeenAt: row.last_seen_at };
}

/** Whether it lives now; if so its sliding end moves, written at most once a minute, unless somebody is only `looking`. */
export function useSession(context: AccountContext, session: SessionRecord, looking = false): Actor | undefined {
  const now = context.clock();
  const idle = now.getTime() - session.lastSeenAt.getTime();
  if (now >= session.expiresAt || idle >= context.settings.sessionIdleMs) return undefined;
  if (idle >= LAST_USE_MS && !looking) {
    session.lastSeenAt = now;
    context.later(
      context.db.updateTable('account_session').set({ last_seen_at: now }).where('id', '=', session.id).execute(),
    );
  }
  return session.actor;
}

export function sessionsPort(context: AccountContext): Sessions {
  const { db, audit, clock, settings } = context;
  return {
    async list(actor: Actor): Promise<readonly SessionInfo[]> {
      const now = clock();
      let query = db
        .selectFrom('account_session as s')
        .innerJoin('account', 'account.id', 's.account_id')
        .select(['s.id', 's.account_id', 'account.name', 's.address', 's.created_at', 's.last_seen_at', 's.expires_at'])
        .where('s.expires_at', '>', now)
        .where('s.last_seen_at', '>', new Date(now.getTime() - settings.sessionIdleMs))
        .orderBy('s.created_at', 'desc');
      if (!may(actor, 'users.manage')) query = query.where('s.account_id', '=', ownAccount(actor));
      const rows = await query.execute();
      return rows.map((row) => ({
        id: row.id,
        userId: row.account_id,
        userName: row.name,
        address: row.address,
        createdAt: row.created_at,
        lastSeenAt: row.last_seen_at,
        expiresAt: row.expires_at,
      }));
    },

    async revoke(id: string, actor: Actor): Promise<void> {
      await db.transaction().execute(async (trx) => {
        let query = trx.deleteFrom('account_session').where('id', '=', uuid(id)).returning('account_id');
        if (!may(actor, 'users.manage')) query = query.where('account_id', '=', ownAccount(actor));
        const gone = await query.executeTakeFirst();
        if (!gone) throw new AccountError('not-found', 'There is no such session', { where: 'session' });
        await audit.record(
          { actor, action: 'session.revoked', subject: { kind: 'session', id }, details: { account: gone.account_id } },
          trx,
        );
      });
      context.forget();
    },
  };
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** The account that the actor is; of others an id that no account has. */
export function ownAccount(actor: Actor): string {
  return actor.kind === 'person' ? actor.id : NOBODY;
}

/** Text that is no uuid would be an error of PostgreSQL; to the asker it is just not there. */
export function uuid(id: string): string {
  return isUuid(id) ? id : NOBODY;
}
