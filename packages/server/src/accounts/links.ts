/** One-time links: for the first administrator, for people who are invited, and for those who forgot their password. */
import { randomUUID } from 'node:crypto';
import { permissionsOf, type Role } from '@isocenter/client';
import type { Selectable } from 'kysely';
import type { Executor } from '../state/database.js';
import { type AccountContext, isTaken, takeAttempt } from './account-context.js';
import { AccountError } from './account-error.js';
import type { LinkInfo, OneTimeLink, SignedIn } from './accounts.js';
import { type Actor, SYSTEM } from './actor.js';
import { limitedPlace } from './networks.js';
import { checkPassword } from './password-policy.js';
import { covers, requireCover, requirePermission } from './permissions-of-actor.js';
import { personOf, startSession, uuid } from './sessions.js';
import type { SignInPlaces } from './sign-in-places.js';
import type { AccountLinkTable } from './tables.js';
import { looksLikeToken, newToken, sha256 } from './tokens.js';
import { nameKey, userName } from './user-name.js';

type Link = Selectable<AccountLinkTable>;

export class Links {
  readonly #context: AccountContext;
  readonly #places: SignInPlaces;
  #hasAdministrator = false;

  constructor(context: AccountContext, places: SignInPlaces) {
    this.#context = context;
    this.#places = places;
  }

  async needsSetup(): Promise<boolean> {
    // Once true it stays so: the last administrator cannot be removed through us.
    this.#hasAdministrator ||= await hasAdministrator(this.#context.db);
    return !this.#hasAdministrator;
  }

  async setupLink(): Promise<OneTimeLink | undefined> {
    if (!(await this.needsSetup())) return undefined;
    return this.#context.db.transaction().execute(async (trx) => {
      await trx.deleteFrom('account_link').where('purpose', '=', 'setup').execute();
      return this.#make(trx, { purpose: 'setup', role: 'administrator', name: null, account_id: null }, SYSTEM);
    });
  }

  async invite(role: Role, actor: Actor, name?: string): Promise<OneTimeLink> {
    requirePermission(actor, 'users.manage');
    requireCover(actor, role);
    refuseKeys(actor);
    const shown = name === undefined ? null : userName(name);
    return this.#context.db
      .transaction()
      .execute((trx) => this.#make(trx, { purpose: 'invite', role, name: shown, account_id: null }, actor));
  }

  async resetLink(id: string, actor: Actor): Promise<OneTimeLink> {
    requirePermission(actor, 'users.manage');
    refuseKeys(actor);
    return this.#context.db.transaction().execute(async (trx) => {
      const account = await trx
        .selectFrom('account')
        .select(['id', 'name', 'role', 'issuer'])
        .where('id', '=', uuid(id))
        .forUpdate()
        .executeTakeFirst();
      if (!account) throw new AccountError('not-found', 'There is no such account', { where: 'user' });
      requireCover(actor, account.role);
      if (account.issuer !== null) {
        throw new AccountError('forbidden', 'This account signs in with a provider and has no password here', {
          next: 'Reset it at the provider.',
        });
      }
      await trx.deleteFrom('account_link').where('account_id', '=', account.id).execute();
      const { role, name } = account;
      return this.#make(trx, { purpose: 'reset', role, name, account_id: account.id }, actor);
    });
  }

  async inspect(token: string, address: string): Promise<LinkInfo> {
    takeAttempt(this.#context, address);
    const link = looksLikeToken(token) ? await this.#find(token) : undefined;
    if (!link) throw badLink();
    return { purpose: link.purpose, role: link.role, name: link.name ?? undefined, expiresAt: link.expires_at };
  }

  async accept(token: string, name: string, password: string, address: string): Promise<SignedIn> {
    takeAttempt(this.#context, address);
    // Looked at first, so that a wrong link costs no argon2 and a weak password does not use a good link up.
    const found = looksLikeToken(token) ? await this.#find(token) : undefined;
    if (!found) throw badLink();
    const shown = userName(name);
    if (found.name !== null && nameKey(found.name) !== nameKey(shown)) {
      throw new AccountError('bad-name', 'This link was made for another name', {
        where: 'name',
        next: 'Use the name it was made for.',
      });
    }
    checkPassword(password, shown);
    const hash = await this.#context.hasher.hash(password);
    const signedIn = await this.#context.db.transaction().execute(async (trx) => {
      // The account before its links, as everybody does who takes both.
      if (found.account_id !== null) {
        await trx.selectFrom('account').select('id').where('id', '=', found.account_id).forUpdate().execute();
      }
      // The deletion is the use: of two at the same moment, one finds nothing.
      const link = await trx
        .deleteFrom('account_link')
        .where('id', '=', found.id)
        .where('expires_at', '>', this.#context.clock())
        .returningAll()
        .executeTakeFirst();
      if (!link || !(await this.#stillGood(trx, link))) throw badLink();
      return link.account_id === null
        ? this.#createAccount(trx, link, shown, hash, address)
        : this.#setPassword(trx, link.account_id, hash, address);
    });
    if (found.account_id !== null) await this.#places.unlock(nameKey(shown));
    this.#context.attempts.giveBack(limitedPlace(address));
    this.#context.forget();
    return signedIn;
  }

  async sweep(): Promise<void> {
    await this.#context.db.deleteFrom('account_link').where('expires_at', '<=', this.#context.clock()).execute();
  }

  async #make(
    trx: Executor,
    wish: Pick<Link, 'purpose' | 'role' | 'name' | 'account_id'>,
    actor: Actor,
  ): Promise<OneTimeLink> {
    const { clock, settings, audit } = this.#context;
    const token = newToken();
    const now = clock();
    const expiresAt = new Date(now.getTime() + settings.linkMs);
    const id = randomUUID();
    await trx
      .insertInto('account_link')
      .values({
        ...wish,
        id,
        token_hash: sha256(token),
        created_by_kind: actor.kind,
        created_by_id: actor.id,
        created_at: now,
        expires_at: expiresAt,
      })
      .execute();
    await audit.record(
      {
        actor,
        action: `user.${wish.purpose}-link-made`,
        subject: wish.account_id === null ? { kind: 'link', id } : { kind: 'account', id: wish.account_id },
        details: { role: wish.role },
      },
      trx,
    );
    return { token, expiresAt };
  }

  async #find(token: string): Promise<Link | undefined> {
    return this.#context.db
      .selectFrom('account_link')
      .selectAll()
      .where('token_hash', '=', sha256(token))
      .where('expires_at', '>', this.#context.clock())
      .executeTakeFirst();
  }

  /** A link is worth no more than whoever made it is now, and the first one nothing once there is an administrator. */
  async #stillGood(trx: Executor, link: Link): Promise<boolean> {
    if (link.purpose === 'setup') return !(await hasAdministrator(trx));
    if (link.created_by_kind !== 'person') return true;
    const maker = await trx
      .selectFrom('account')
      .select('role')
      .where('id', '=', uuid(link.created_by_id))
      .where('disabled_at', 'is', null)
      .executeTakeFirst();
    return maker !== undefined && permissionsOf[maker.role].includes('users.manage') && covers(maker, link.role);
  }

  async #createAccount(trx: Executor, link: Link, name: string, hash: string, address: string): Promise<SignedIn> {
    const account = { id: randomUUID(), name, role: link.role };
    try {
      await trx
        .insertInto('account')
        .values({ ...account, name_key: nameKey(name), password_hash: hash, created_at: this.#context.clock() })
        .execute();
    } catch (error) {
      if (!isTaken(error)) throw error;
      throw new AccountError('name-taken', 'There is already an account with this name', {
        where: 'name',
        next: 'Choose another name; the link stays good.',
      });
    }
    await this.#audit(trx, 'user.created', account, {
      role: link.role,
      purpose: link.purpose,
      madeBy: link.created_by_id,
    });
    return startSession(this.#context, trx, account, address);
  }

  async #setPassword(trx: Executor, id: string, hash: string, address: string): Promise<SignedIn> {
    const account = await trx
      .updateTable('account')
      .set({ password_hash: hash })
      .where('id', '=', id)
      .where('disabled_at', 'is', null)
      .returning(['id', 'name', 'role'])
      .executeTakeFirst();
    if (!account) throw badLink();
    await trx.deleteFrom('account_session').where('account_id', '=', id).execute();
    await this.#audit(trx, 'user.password-reset', account, {});
    return startSession(this.#context, trx, account, address);
  }

  async #audit(
    trx: Executor,
    action: string,
    account: { id: string; name: string; role: Role },
    details: Record<string, string>,
  ) {
    const entry = { actor: personOf(account), action, subject: { kind: 'account', id: account.id }, details };
    await this.#context.audit.record(entry, trx);
  }
}

async function hasAdministrator(db: Executor): Promise<boolean> {
  const found = await db
    .selectFrom('account')
    .select('id')
    .where('role', '=', 'administrator')
    .where('disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

function refuseKeys(actor: Actor): void {
  if (actor.kind !== 'key') return;
  throw new AccountError('forbidden', 'A key cannot make links: whoever uses one is a person', {
    next: 'Sign in as a person, or use the command line on the server itself.',
  });
}

function badLink(): AccountError {
  return new AccountError('bad-invite', 'This link was used, replaced, is too old, or never was one', {
    next: 'Ask for a new one; for the first administrator, start the server again.',
  });
}
