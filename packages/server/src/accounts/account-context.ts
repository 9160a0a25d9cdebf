/** What the parts of accounts share; made once by open-accounts.ts. */
import type { AuditLog } from '../audit/audit-log.js';
import type { Database } from '../state/database.js';
import { AccountError } from './account-error.js';
import type { AccountSettings } from './account-settings.js';
import type { Actor } from './actor.js';
import { limitedPlace } from './networks.js';
import type { PasswordHasher } from './password-hasher.js';
import type { TokenBuckets } from './token-buckets.js';

export interface AccountContext {
  readonly db: Database;
  readonly audit: AuditLog;
  readonly clock: () => Date;
  readonly settings: AccountSettings;
  readonly hasher: PasswordHasher;
  /** Attempts per address: shared by sign-in, links and the provider. */
  readonly attempts: TokenBuckets;
  /** To be called after a change of accounts, keys or sessions was committed. */
  forget(): void;
  /** A write that nobody waits for; `close` does. Its failure is nobody's failure: it is done again a minute later. */
  later(write: Promise<unknown>): void;
}

/** Who acts before anybody is known. */
export const STRANGER: Actor = Object.freeze({
  kind: 'protocol',
  id: 'sign-in',
  name: 'Somebody who signs in',
  role: 'service',
});

/** Throws AccountError `rate-limited`. */
export function takeAttempt({ attempts }: AccountContext, address: string): void {
  const retryAfterMs = attempts.take(limitedPlace(address));
  if (retryAfterMs === 0) return;
  throw new AccountError('rate-limited', 'Too many attempts from this address', {
    next: `Try again in ${Math.ceil(retryAfterMs / 1000)} seconds.`,
    retryAfterMs,
  });
}

/** PostgreSQL's unique_violation. */
export function isTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { code?: unknown }).code === '23505';
}
