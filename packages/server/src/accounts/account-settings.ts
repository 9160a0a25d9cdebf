/** What can be set about accounts, with its defaults; the configuration fills it in. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface AccountSettings {
  /** A session that nobody used for so long ends. */
  readonly sessionIdleMs: number;
  /** And any session ends after this: one working day and its overtime. */
  readonly sessionMaximumMs: number;
  readonly linkMs: number;
  /** Attempts (sign-in, links, provider) that one address may make at once, and one more after each interval. */
  readonly attemptsAtOnce: number;
  readonly attemptEveryMs: number;
  /** Failures of one name from one address before waiting starts: people mistype. */
  readonly failuresBeforeLock: number;
  /** The first wait; it doubles with each further failure, up to the longest. */
  readonly firstLockMs: number;
  readonly longestLockMs: number;
  /** Attempts at one name from addresses where it never signed in, all together; see sign-in-places.ts. */
  readonly strangersAtOnce: number;
  readonly strangerEveryMs: number;
  /** How long a key or session is believed without asking the database: what was revoked elsewhere works this long at most. */
  readonly believedMs: number;
}

export const ACCOUNT_DEFAULTS: AccountSettings = Object.freeze({
  sessionIdleMs: 2 * HOUR,
  sessionMaximumMs: 12 * HOUR,
  linkMs: DAY,
  attemptsAtOnce: 15,
  attemptEveryMs: 4 * SECOND,
  failuresBeforeLock: 5,
  firstLockMs: 5 * SECOND,
  longestLockMs: 15 * MINUTE,
  strangersAtOnce: 30,
  strangerEveryMs: 20 * SECOND,
  believedMs: 4 * SECOND,
});

/** Failed sign-ins are forgotten after this. */
export const FAILURES_REMEMBERED_MS = DAY;
/** An address where somebody signed in counts as theirs for this long. */
export const PLACE_REMEMBERED_MS = 30 * DAY;
/** How exactly last use is known, and how often it costs a write. */
export const LAST_USE_MS = MINUTE;
/** Time to type a password at the provider. */
export const PROVIDER_LOGIN_MS = 10 * MINUTE;
