/** Every refusal of accounts, sessions, keys and sign-in through a provider. */
import { Failure, type FailureDetails } from '@isocenter/volume';

export type AccountErrorKind =
  /** Name, password or both; which one is never said. */
  | 'wrong-credentials'
  /** This name from this address must wait (HTTP: 429 + Retry-After). */
  | 'locked'
  /** This address must wait (HTTP: 429 + Retry-After). */
  | 'rate-limited'
  /** Too many sign-ins at this moment (HTTP: 503 + Retry-After). */
  | 'busy'
  | 'weak-password'
  | 'bad-name'
  | 'name-taken'
  /** Unknown, used, voided or too old. */
  | 'bad-invite'
  | 'bad-key'
  | 'forbidden'
  | 'not-found'
  | 'last-administrator'
  /** Refuses to listen beyond this machine. */
  | 'no-accounts'
  | 'bad-network'
  | 'bad-settings'
  /** The provider vouches for the person, but no role here is meant for them. */
  | 'no-access'
  /** The provider's answer does not hold: state, nonce, signature, issuer, audience or time. */
  | 'bad-login'
  /** The provider said no. */
  | 'provider-refused'
  /** The provider does not answer (HTTP: 502). */
  | 'provider-unavailable';

export class AccountError extends Failure<AccountErrorKind> {
  /** Whole seconds, at least 1; with `locked`, `rate-limited` and `busy`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: AccountErrorKind, message: string, details: FailureDetails & { retryAfterMs?: number } = {}) {
    super(kind, message, details);
    this.retryAfterSeconds =
      details.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(details.retryAfterMs / 1000));
  }
}
