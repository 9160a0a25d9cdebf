/**
 * Waiting after failed sign-ins. A lock of the account alone would let anybody lock the administrator out, a lock of the address
 * alone lets a botnet guess on; so:
 *  - one name from one address waits longer with each failure (in the database: true for all servers);
 *  - one name from all addresses where it never signed in has a slow common rate (in memory), which an attacker can use up
 *    without touching the places where its owner signed in during the last 30 days, and never the local owner's token.
 * An attempt is counted before the password is checked, so a hundred at once are not a hundred free guesses. Names that
 * do not exist are treated exactly alike.
 */
import { sql } from 'kysely';
import { type AccountContext, STRANGER } from './account-context.js';
import { AccountError } from './account-error.js';
import { FAILURES_REMEMBERED_MS, PLACE_REMEMBERED_MS } from './account-settings.js';
import { limitedPlace } from './networks.js';
import { TokenBuckets } from './token-buckets.js';
import { sha256 } from './tokens.js';
import { nameKey } from './user-name.js';

/** The delay doubles at most this often before it is cut at the longest: 2^20 first delays are days. */
const MOST_DOUBLINGS = 20;

export interface Place {
  readonly place: Buffer;
  readonly nameHash: Buffer;
  readonly address: string;
  readonly familiar: boolean;
}

export class SignInPlaces {
  readonly #context: AccountContext;
  readonly #strangers: TokenBuckets;

  constructor(context: AccountContext) {
    this.#context = context;
    this.#strangers = new TokenBuckets(
      context.settings.strangersAtOnce,
      context.settings.strangerEveryMs,
      context.clock,
    );
  }

  /** Counts the attempt as failed until `succeeded` says otherwise. Throws AccountError `locked`. */
  async enter(name: string, address: string, accountId: string | undefined): Promise<Place> {
    const { db, clock } = this.#context;
    const now = clock();
    const nameHash = sha256(nameKey(name));
    const place = sha256(`${nameHash.toString('hex')} ${limitedPlace(address)}`);
    const known = await db.selectFrom('sign_in_place').selectAll().where('place', '=', place).executeTakeFirst();
    const familiarSince = now.getTime() - PLACE_REMEMBERED_MS;
    const familiar = known?.succeeded_at != null && known.succeeded_at.getTime() > familiarSince;
    if (known?.locked_until && known.locked_until > now) throw locked(known.locked_until.getTime() - now.getTime());
    if (!familiar) {
      const wait = this.#strangers.take(nameHash.toString('hex'));
      if (wait > 0) throw locked(wait);
    }
    const failures = await this.#count(place, nameHash, now);
    if (this.#delayAfter(failures) > 0) await this.#audit(failures, address, accountId);
    return { place, nameHash, address, familiar };
  }

  async succeeded({ place, nameHash, familiar }: Place): Promise<void> {
    if (!familiar) this.#strangers.giveBack(nameHash.toString('hex'));
    await this.#context.db
      .updateTable('sign_in_place')
      .set({ failures: 0, locked_until: null, succeeded_at: this.#context.clock() })
      .where('place', '=', place)
      .execute();
  }

  /** The password was not looked at after all. */
  async withdraw({ place, nameHash, familiar }: Place): Promise<void> {
    if (!familiar) this.#strangers.giveBack(nameHash.toString('hex'));
    await this.#context.db
      .updateTable('sign_in_place')
      .set({ failures: sql`greatest(0, failures - 1)`, locked_until: null })
      .where('place', '=', place)
      .execute();
  }

  /** Everywhere; the common rate only in this process. */
  async unlock(key: string): Promise<void> {
    const nameHash = sha256(key);
    this.#strangers.forget(nameHash.toString('hex'));
    await this.#context.db
      .updateTable('sign_in_place')
      .set({ failures: 0, locked_until: null })
      .where('name_hash', '=', nameHash)
      .execute();
  }

  async sweep(): Promise<void> {
    const now = this.#context.clock().getTime();
    await this.#context.db
      .deleteFrom('sign_in_place')
      .where('last_at', '<', new Date(now - FAILURES_REMEMBERED_MS))
      .where((or) =>
        or.or([or('succeeded_at', 'is', null), or('succeeded_at', '<', new Date(now - PLACE_REMEMBERED_MS))]),
      )
      .execute();
  }

  /** One statement, so that attempts at the same moment, in whichever process, count one after the other. */
  async #count(place: Buffer, nameHash: Buffer, now: Date): Promise<number> {
    const forgotten = new Date(now.getTime() - FAILURES_REMEMBERED_MS);
    const { failuresBeforeLock: free, firstLockMs, longestLockMs } = this.#context.settings;
    const { rows } = await sql<{ failures: number }>`
      INSERT INTO sign_in_place AS p (place, name_hash, failures, last_at) VALUES (${place}, ${nameHash}, 1, ${now})
      ON CONFLICT (place) DO UPDATE SET
        failures = CASE WHEN p.last_at < ${forgotten} THEN 1 ELSE p.failures + 1 END,
        last_at = ${now},
        locked_until = CASE WHEN p.last_at >= ${forgotten} AND p.failures + 1 >= ${free}::int THEN ${now}::timestamptz
          + least(${longestLockMs}::float8, ${firstLockMs}::float8 * 2 ^ least(${MOST_DOUBLINGS}::int, p.failures + 1 - ${free}::int))
          * interval '1 millisecond' END
      WHERE p.locked_until IS NULL OR p.locked_until <= ${now}
      RETURNING failures`.execute(this.#context.db);
    const failures = rows[0]?.failures;
    if (failures === undefined) throw locked(firstLockMs);
    return failures;
  }

  #delayAfter(failures: number): number {
    const { failuresBeforeLock, firstLockMs, longestLockMs } = this.#context.settings;
    if (failures < failuresBeforeLock) return 0;
    return Math.min(longestLockMs, firstLockMs * 2 ** Math.min(MOST_DOUBLINGS, failures - failuresBeforeLock));
  }

  /** Written before the password is checked: if it turns out right, a 'user.signed-in' follows. */
  async #audit(failures: number, address: string, accountId: string | undefined): Promise<void> {
    await this.#context.audit.record({
      actor: STRANGER,
      action: 'user.locked',
      subject: { kind: 'account', id: accountId ?? 'unknown' },
      details: { address: limitedPlace(address), failures, seconds: Math.ceil(this.#delayAfter(failures) / 1000) },
    });
  }
}

function locked(retryAfterMs: number): AccountError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new AccountError('locked', 'Too many failed sign-ins with this name', {
    next: `Wait ${seconds} seconds, or ask an administrator to unlock the account.`,
    retryAfterMs,
  });
}
