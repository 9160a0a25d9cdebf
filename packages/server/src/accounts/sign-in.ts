/** Signing in with name and password, and changing the password: everything that checks one. */
import type { AccountContext } from './account-context.js';
import { STRANGER, takeAttempt } from './account-context.js';
import { AccountError } from './account-error.js';
import type { SignedIn } from './accounts.js';
import type { Actor } from './actor.js';
import { limitedPlace } from './networks.js';
import { checkPassword } from './password-policy.js';
import { personOf, startSession } from './sessions.js';
import type { Place, SignInPlaces } from './sign-in-places.js';
import { TokenBuckets } from './token-buckets.js';
import { nameKey } from './user-name.js';

/** Failures from everywhere that get an entry of their own each; in a flood the next entry says how many did not. */
const FAILURES_WRITTEN_AT_ONCE = 100;
const FAILURE_WRITTEN_EVERY_MS = 250;

interface Checked {
  readonly account: { readonly id: string; readonly name: string; readonly role: Actor['role'] };
  readonly passwordHash: string;
}

export class PasswordSignIn {
  readonly #context: AccountContext;
  readonly #places: SignInPlaces;
  readonly #written: TokenBuckets;
  #unwritten = 0;

  constructor(context: AccountContext, places: SignInPlaces) {
    this.#context = context;
    this.#places = places;
    this.#written = new TokenBuckets(FAILURES_WRITTEN_AT_ONCE, FAILURE_WRITTEN_EVERY_MS, context.clock);
  }

  async signIn(name: string, password: string, address: string, previous?: string): Promise<SignedIn> {
    const { db, audit } = this.#context;
    const { account, passwordHash } = await this.#check(name, password, address);
    const signedIn = await db.transaction().execute(async (trx) => {
      // Whoever was disabled, or got a new password, while this one was being checked does not slip in. The lock is the one
      // that the update of the last sign-in needs: two at once with a weaker one would wait for each other.
      const still = await trx
        .selectFrom('account')
        .select(['id', 'name', 'role'])
        .where('id', '=', account.id)
        .where('password_hash', '=', passwordHash)
        .where('disabled_at', 'is', null)
        .forNoKeyUpdate()
        .executeTakeFirst();
      if (!still) throw wrongCredentials();
      await audit.record(
        {
          actor: personOf(still),
          action: 'user.signed-in',
          subject: { kind: 'account', id: still.id },
          details: { address: limitedPlace(address) },
        },
        trx,
      );
      return startSession(this.#context, trx, still, address, previous);
    });
    if (previous !== undefined) this.#context.forget();
    return signedIn;
  }

  async changePassword(actor: Actor, password: string, wanted: string, address: string): Promise<SignedIn> {
    const { db, audit, hasher } = this.#context;
    const own = actor.kind === 'person' ? await this.#passwordAccount(actor.id) : undefined;
    if (!own) {
      throw new AccountError('forbidden', 'Only people who sign in with a password here can change one', {
        next: 'Keys are replaced by new ones; passwords of a provider are changed there.',
      });
    }
    checkPassword(wanted, own.name);
    const { account, passwordHash } = await this.#check(own.name, password, address);
    const hash = await hasher.hash(wanted);
    const signedIn = await db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('account')
        .set({ password_hash: hash })
        .where('id', '=', account.id)
        .where('password_hash', '=', passwordHash)
        .where('disabled_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw wrongCredentials();
      await trx.deleteFrom('account_session').where('account_id', '=', account.id).execute();
      await trx.deleteFrom('account_link').where('account_id', '=', account.id).execute();
      await audit.record({ actor, action: 'user.password-changed', subject: { kind: 'account', id: account.id } }, trx);
      return startSession(this.#context, trx, account, address);
    });
    this.#context.forget();
    return signedIn;
  }

  /** Does the same steps whether the name exists or not. Throws `wrong-credentials`, `locked`, `rate-limited`, `busy`. */
  async #check(name: string, password: string, address: string): Promise<Checked> {
    const { db, hasher, attempts } = this.#context;
    takeAttempt(this.#context, address);
    const row = await db
      .selectFrom('account')
      .select(['id', 'name', 'role', 'password_hash', 'disabled_at'])
      .where('name_key', '=', storableKey(name))
      .executeTakeFirst();
    const place = await this.#places.enter(name, address, row?.id);
    const stored = row && row.disabled_at === null ? (row.password_hash ?? undefined) : undefined;
    const right = await hasher.verify(stored, password).catch(async (error: unknown) => {
      // Nothing was checked, so nothing failed: a flood of others must not lock anybody.
      await this.#places.withdraw(place);
      throw error;
    });
    if (!row || stored === undefined || !right) {
      await this.#auditFailure(place, row?.id);
      throw wrongCredentials();
    }
    await this.#places.succeeded(place);
    attempts.giveBack(limitedPlace(address));
    return { account: { id: row.id, name: row.name, role: row.role }, passwordHash: stored };
  }

  async #passwordAccount(id: string) {
    return this.#context.db
      .selectFrom('account')
      .select('name')
      .where('id', '=', id)
      .where('password_hash', 'is not', null)
      .executeTakeFirst();
  }

  async #auditFailure(place: Place, accountId: string | undefined): Promise<void> {
    if (this.#written.take('all') > 0) {
      this.#unwritten += 1;
      return;
    }
    const unwritten = this.#unwritten;
    this.#unwritten = 0;
    await this.#context.audit.record({
      actor: STRANGER,
      action: 'user.sign-in-failed',
      // Never the name as typed: people type passwords there.
      subject: { kind: 'account', id: accountId ?? 'unknown' },
      details: { address: limitedPlace(place.address), ...(unwritten > 0 && { failuresNotWritten: unwritten }) },
    });
  }
}

function wrongCredentials(): AccountError {
  return new AccountError('wrong-credentials', 'Name or password is wrong', {
    next: 'Try again; an administrator can make a link with which you set a new password.',
  });
}

/** PostgreSQL takes no NUL in text; no account has one in its name. */
function storableKey(name: string): string {
  return nameKey(name).replaceAll('\0', '\uFFFD');
}
