/** From what openid-client and jose throw to our kinds. The provider's own words stay out: they may name people. */
import { AccountError } from '../account-error.js';

const UNREACHABLE =
  /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|EHOST|ENET|UND_ERR|CERT_|DEPTH_|SELF_SIGNED|UNABLE_|ERR_TLS)/;
const TIMEOUTS: readonly unknown[] = ['OAUTH_TIMEOUT', 'ERR_JWKS_TIMEOUT'];
const FIRST_SERVER_FAULT = 500;
const TOO_MANY = 429;

interface Thrown {
  readonly name?: string;
  readonly code?: unknown;
  readonly status?: unknown;
  readonly error?: unknown;
  readonly cause?: unknown;
  readonly message?: string;
}

export function providerError(thrown: unknown): AccountError {
  if (thrown instanceof AccountError) return thrown;
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Thrown;
  if (isUnreachable(error)) return unavailable(error);
  if (error.name === 'AuthorizationResponseError') {
    return new AccountError('provider-refused', `The sign-in provider refused${code(error)}`, {
      next: 'Sign in there again, or ask its administrator for access.',
      cause: thrown,
    });
  }
  if (error.name === 'ResponseBodyError' && error.error !== 'invalid_grant') {
    return new AccountError('provider-refused', `The sign-in provider refused this server${code(error)}`, {
      next: 'Compare client id, client secret and redirect URI with the registration at the provider.',
      cause: thrown,
    });
  }
  return new AccountError('bad-login', 'The answer of the sign-in provider does not hold', {
    ...(typeof error.code === 'string' && { where: error.code }),
    next: 'Start again from the sign-in page. If it happens again, compare the clocks and the issuer in the settings.',
    cause: thrown,
  });
}

export function unavailable(cause: unknown): AccountError {
  return new AccountError('provider-unavailable', 'The sign-in provider does not answer as it should', {
    next: 'Try again in a minute; accounts with a password work meanwhile.',
    cause,
  });
}

/** Looks down the causes: `fetch failed` says why only there. */
function isUnreachable(error: Thrown, depth = 0): boolean {
  const { code: reason, name, status, cause } = error;
  if (typeof status === 'number' && (status >= FIRST_SERVER_FAULT || status === TOO_MANY)) return true;
  if (typeof reason === 'string' && (UNREACHABLE.test(reason) || TIMEOUTS.includes(reason))) return true;
  if (name === 'TimeoutError' || name === 'AbortError' || error.message === 'fetch failed') return true;
  return depth < 5 && typeof cause === 'object' && cause !== null && isUnreachable(cause as Thrown, depth + 1);
}

function code({ error }: Thrown): string {
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? `: ${error}` : '';
}
