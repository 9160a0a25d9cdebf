/** Accounts of people, as administrators manage them. There is always one administrator left who can. */
import type { Selectable } from 'kysely';
import type { Executor } from '../state/database.js';
import type { AccountContext } from './account-context.js';
import { AccountError } from './account-error.js';
import type { User, Users } from './accounts.js';
import type { Actor } from './actor.js';
import type { Links } from './links.js';
import { requireCover, requirePermission } from './permissions-of-actor.js';
import { uuid } from './sessions.js';
import type { SignInPlaces } from './sign-in-places.js';
import type { AccountTable } from './tables.js';

type Account = Selectable<AccountTable>;

export function usersPort(context: AccountContext, places: SignInPlaces, links: Links): Users {
  const { db, audit, clock } = context;

  /** The account, locked for the length of the transaction, if the actor may change it. */
  async function lockAccount(trx: Executor, id: string, actor: Actor): Promise<Account> {
    requirePermission(actor, 'users.manage');
    // All administrators first and always in this order: two who demote each other at the same moment wait for each other here.
    await trx
      .selectFrom('account')
      .select('id')
      .where('role', '=', 'administrator')
      .orderBy('id')
      .forUpdate()
      .execute();
    const account = await trx
      .selectFrom('account')
      .selectAll()
      .where('id', '=', uuid(id))
      .forUpdate()
      .executeTakeFirst();
    if (!account) throw new AccountError('not-found', 'There is no such account', { where: 'user' });
    requireCover(actor, account.role);
    return account;
  }

  async function keepOneAdministrator(trx: Executor, account: Account): Promise<void> {
    if (account.role !== 'administrator' || account.disabled_at !== null) return;
    const another = await trx
      .selectFrom('account')
      .select('id')
      .where('role', '=', 'administrator')
      .where('disabled_at', 'is', null)
      .where('id', '!=', account.id)
      .limit(1)
      .executeTakeFirst();
    if (another) return;
    throw new AccountError('last-administrator', 'This is the last administrator', {
      where: 'user',
      next: 'Make somebody else an administrator first.',
    });
  }

  return {
    async list(actor) {
      requirePermission(actor, 'users.manage');
      const rows = await db.selectFrom('account').selectAll().orderBy('name').orderBy('id').execute();
      return rows.map(userOf);
    },

    async update(id, { role, disabled }, actor, reason) {
      const user = await db.transaction().execute(async (trx) => {
        const account = await lockAccount(trx, id, actor);
        const subject = { kind: 'account', id: account.id };
        const why = reason ? { reason } : {};
        const changed = { ...account };
        if (role !== undefined && role !== account.role) {
          requireCover(actor, role);
          refuseProviderRole(account);
          await keepOneAdministrator(trx, account);
          changed.role = role;
          await audit.record(
            { actor, action: 'user.role-changed', subject, details: { from: account.role, to: role }, ...why },
            trx,
          );
        }
        if (disabled !== undefined && disabled !== (account.disabled_at !== null)) {
          if (disabled) await keepOneAdministrator(trx, account);
          changed.disabled_at = disabled ? clock() : null;
          await audit.record({ actor, action: disabled ? 'user.disabled' : 'user.enabled', subject, ...why }, trx);
          if (disabled) await trx.deleteFrom('account_session').where('account_id', '=', account.id).execute();
          if (disabled) await trx.deleteFrom('account_link').where('account_id', '=', account.id).execute();
        }
        await trx
          .updateTable('account')
          .set({ role: changed.role, disabled_at: changed.disabled_at })
          .where('id', '=', account.id)
          .execute();
        return userOf(changed);
      });
      context.forget();
      return user;
    },

    async remove(id, actor, reason) {
      await db.transaction().execute(async (trx) => {
        const account = await lockAccount(trx, id, actor);
        await keepOneAdministrator(trx, account);
        await trx
          .updateTable('api_key')
          .set({ revoked_at: clock() })
          .where('account_id', '=', account.id)
          .where('revoked_at', 'is', null)
          .execute();
        await trx.deleteFrom('account').where('id', '=', account.id).execute();
        await audit.record(
          { actor, action: 'user.removed', subject: { kind: 'account', id: account.id }, ...(reason && { reason }) },
          trx,
        );
      });
      context.forget();
    },

    async unlock(id, actor) {
      const account = await db.transaction().execute(async (trx) => {
        const locked = await lockAccount(trx, id, actor);
        await audit.record({ actor, action: 'user.unlocked', subject: { kind: 'account', id: locked.id } }, trx);
        return locked;
      });
      if (account.name_key !== null) await places.unlock(account.name_key);
    },

    resetLink: (id, actor) => links.resetLink(id, actor),
  };
}

function userOf(account: Account): User {
  return {
    id: account.id,
    name: account.name,
    role: account.role,
    signsInWith: account.issuer === null ? 'password' : 'provider',
    disabled: account.disabled_at !== null,
    createdAt: account.created_at,
    lastSignInAt: account.last_sign_in_at ?? undefined,
  };
}

function refuseProviderRole(account: Account): void {
  if (account.issuer === null) return;
  throw new AccountError('forbidden', 'The role of this account comes from its provider at each sign-in', {
    where: 'role',
    next: 'Change the person’s groups at the provider, or disable the account here.',
  });
}
