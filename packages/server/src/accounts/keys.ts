/**
 * API keys of services. What a key may is worked out anew each time it is loaded: its role and scopes, cut down to what its
 * creator may now. So demoting or disabling a person does the same to all of their keys, without touching them.
 */
import { randomUUID } from 'node:crypto';
import { permissionsOf, type Role } from '@isocenter/client';
import type { AccountContext } from './account-context.js';
import { AccountError } from './account-error.js';
import { LAST_USE_MS } from './account-settings.js';
import type { KeyInfo, Keys, KeyWish } from './accounts.js';
import { type Actor, may } from './actor.js';
import { covers, effectivePermissions, requireCover, requirePermission } from './permissions-of-actor.js';
import { ownAccount, uuid } from './sessions.js';
import { newKey, sha256 } from './tokens.js';

const MAXIMUM_NAME = 100;

export interface KeyRecord {
  readonly id: string;
  readonly actor: Actor;
  readonly expiresAt: Date | undefined;
  lastUsedAt: Date | undefined;
}

export async function loadKey({ db }: AccountContext, keyHash: Buffer): Promise<KeyRecord | undefined> {
  const row = await db
    .selectFrom('api_key as k')
    .leftJoin('account as a', 'a.id', 'k.account_id')
    .select(['k.id', 'k.name', 'k.role', 'k.scopes', 'k.account_id', 'k.expires_at', 'k.last_used_at'])
    .select(['a.role as creator_role', 'a.disabled_at'])
    .where('key_hash', '=', keyHash)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (!row) return undefined;
  // Keys without an account were made by the owner of the data directory, who is an administrator for good.
  const creator: Role | null = row.account_id === null ? 'administrator' : row.creator_role;
  if (creator === null || row.disabled_at !== null) return undefined;
  const scopes = effectivePermissions({ role: row.role, ...(row.scopes && { scopes: row.scopes }) });
  const actor: Actor = {
    kind: 'key',
    id: row.id,
    name: row.name,
    // Code that asks for the role instead of the permission must not see more than the creator is, either.
    role: covers({ role: creator }, row.role) ? row.role : creator,
    scopes: Object.freeze(scopes.filter((permission) => permissionsOf[creator].includes(permission))),
  };
  return {
    id: row.id,
    actor: Object.freeze(actor),
    expiresAt: row.expires_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}

/** Whether it is valid now; notes the use, written at most once a minute, unless somebody is only `looking`. */
export function useKey(context: AccountContext, key: KeyRecord, looking = false): Actor | undefined {
  const now = context.clock();
  if (key.expiresAt && now >= key.expiresAt) return undefined;
  if (looking) return key.actor;
  if (!key.lastUsedAt || now.getTime() - key.lastUsedAt.getTime() >= LAST_USE_MS) {
    key.lastUsedAt = now;
    context.later(context.db.updateTable('api_key').set({ last_used_at: now }).where('id', '=', key.id).execute());
  }
  return key.actor;
}

export async function createKey(context: AccountContext, wish: KeyWish, actor: Actor) {
  requirePermission(actor, 'keys.own', 'keys.manage');
  if (actor.kind === 'key') {
    throw new AccountError('forbidden', 'A key cannot make keys: revoking it would leave them behind', {
      next: 'Sign in as a person, or use the command line on the server itself.',
    });
  }
  const { name, role, scopes, expiresAt } = checkWish(context, wish, actor);
  const { key, prefix } = newKey();
  const id = randomUUID();
  await context.db.transaction().execute(async (trx) => {
    await trx
      .insertInto('api_key')
      .values({
        id,
        key_hash: sha256(key),
        prefix,
        name,
        account_id: actor.kind === 'person' ? actor.id : null,
        created_by_kind: actor.kind,
        created_by_name: actor.name,
        role,
        scopes: scopes ? [...scopes] : null,
        created_at: context.clock(),
        expires_at: expiresAt ?? null,
      })
      .execute();
    await context.audit.record(
      {
        actor,
        action: 'key.created',
        subject: { kind: 'key', id },
        details: { role, prefix, scopes: scopes ?? null, expiresAt: expiresAt?.toISOString() ?? null },
      },
      trx,
    );
  });
  context.forget();
  return { id, key };
}

function checkWish({ clock }: AccountContext, wish: KeyWish, actor: Actor): KeyWish & { readonly role: Role } {
  const { role = 'service', scopes, expiresAt } = wish;
  const name = wish.name.normalize('NFKC').trim();
  const bad = (where: string, message: string, next: string) => new AccountError('bad-key', message, { where, next });
  if (name.length === 0 || name.length > MAXIMUM_NAME || /\p{C}/u.test(name)) {
    throw bad('name', 'This cannot be the name of a key', `Use 1 to ${MAXIMUM_NAME} characters that can be seen.`);
  }
  if (expiresAt && !(expiresAt > clock()))
    throw bad('expiresAt', 'The key would never be valid', 'Give a time in the future.');
  requireCover(actor, role);
  const outside = scopes?.find((scope) => !permissionsOf[role].includes(scope));
  if (outside)
    throw bad(
      'scopes',
      `The role ${role} does not have the permission ${outside}`,
      'Leave it out, or choose another role.',
    );
  if (scopes?.length === 0)
    throw bad('scopes', 'A key without any scope can do nothing', 'Leave scopes out for all that its role may.');
  return { name, role, ...(scopes && { scopes: [...new Set(scopes)] }), ...(expiresAt && { expiresAt }) };
}

export function keysPort(context: AccountContext): Keys {
  const { db, audit, clock } = context;
  return {
    async list(actor: Actor): Promise<readonly KeyInfo[]> {
      requirePermission(actor, 'keys.own', 'keys.manage');
      let query = db.selectFrom('api_key').selectAll().orderBy('created_at', 'desc').orderBy('id');
      if (!may(actor, 'keys.manage')) query = query.where('account_id', '=', ownAccount(actor));
      const rows = await query.execute();
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        prefix: row.prefix,
        createdBy: { kind: row.created_by_kind, id: row.account_id ?? row.created_by_kind, name: row.created_by_name },
        role: row.role,
        scopes: row.scopes ?? undefined,
        createdAt: row.created_at,
        expiresAt: row.expires_at ?? undefined,
        lastUsedAt: row.last_used_at ?? undefined,
        revokedAt: row.revoked_at ?? undefined,
      }));
    },

    async revoke(id: string, actor: Actor, reason?: string): Promise<void> {
      requirePermission(actor, 'keys.own', 'keys.manage');
      await db.transaction().execute(async (trx) => {
        let query = trx
          .updateTable('api_key')
          .set({ revoked_at: clock() })
          .where('id', '=', uuid(id))
          .where('revoked_at', 'is', null);
        if (!may(actor, 'keys.manage')) query = query.where('account_id', '=', ownAccount(actor));
        const { numUpdatedRows } = await query.executeTakeFirst();
        if (numUpdatedRows === 0n) {
          throw new AccountError('not-found', 'There is no such key, or it was revoked before', { where: 'key' });
        }
        await audit.record(
          { actor, action: 'key.revoked', subject: { kind: 'key', id }, ...(reason && { reason }) },
          trx,
        );
      });
      context.forget();
    },
  };
}
