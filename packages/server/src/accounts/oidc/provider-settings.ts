/** What must be known about an OpenID Connect provider, checked when the server starts and not when the first person waits. */
import { roles as allRoles, type Role } from '@isocenter/client';
import { AccountError } from '../account-error.js';
import { isLoopback } from '../networks.js';

export interface ProviderSettings {
  /** As the provider names itself: its discovery document lies below. */
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined: a public client, protected by PKCE alone. */
  readonly clientSecret?: string;
  /** Ours, as registered there: https://isocenter.hospital.example/auth/oidc/callback */
  readonly redirectUri: string;
  /** Default: openid profile */
  readonly scopes?: string;
  /** Where groups or roles stand: a claim, or a path into one (`realm_access.roles`). Default: groups. */
  readonly roleClaim?: string;
  /** Which of their values means which role here. What is not listed means nothing. */
  readonly roles: Readonly<Record<string, Role>>;
  /** For the button of the sign-in page. */
  readonly label?: string;
  /** How far the clocks may be apart; default 30 s. */
  readonly clockToleranceSeconds?: number;
  /** Default 10 s. */
  readonly timeoutSeconds?: number;
  /** Signing keys are fetched again for an unknown key id, but not more often than this; default 10 s. */
  readonly keysEveryMs?: number;
}

export interface CheckedProvider extends Required<Omit<ProviderSettings, 'clientSecret'>> {
  readonly clientSecret: string | undefined;
}

/** Throws AccountError `bad-settings`. */
export function checkProvider(settings: ProviderSettings): CheckedProvider {
  const issuer = secureUrl('issuer', settings.issuer);
  secureUrl('redirectUri', settings.redirectUri);
  if (settings.clientId === '') throw bad('clientId', 'It is empty', 'Take it from the registration at the provider.');
  const mapped = Object.entries(settings.roles);
  if (mapped.length === 0) {
    throw bad(
      'roles',
      'No value of the role claim means a role, so nobody could sign in',
      'Map at least one group to a role.',
    );
  }
  for (const [value, role] of mapped) {
    if (!allRoles.includes(role))
      throw bad(`roles.${value}`, 'There is no such role', `Use one of ${allRoles.join(', ')}.`);
  }
  const scopes = settings.scopes ?? 'openid profile';
  if (!scopes.split(' ').includes('openid')) throw bad('scopes', 'It lacks openid', 'Add openid.');
  return {
    issuer: settings.issuer,
    clientId: settings.clientId,
    clientSecret: settings.clientSecret,
    redirectUri: settings.redirectUri,
    scopes,
    roleClaim: settings.roleClaim ?? 'groups',
    roles: settings.roles,
    label: settings.label ?? issuer.hostname,
    clockToleranceSeconds: settings.clockToleranceSeconds ?? 30,
    timeoutSeconds: settings.timeoutSeconds ?? 10,
    keysEveryMs: settings.keysEveryMs ?? 10_000,
  };
}

/** Plain HTTP only on this machine: whoever can read the way can otherwise sign in as anybody. */
function secureUrl(where: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw bad(where, 'It is not a URL', 'Write it whole, with https://.');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url;
  throw bad(where, 'It is not https', 'Use https; http is for loopback only.');
}

function bad(where: string, what: string, next: string): AccountError {
  return new AccountError('bad-settings', `The settings of the sign-in provider do not work. ${what}`, { where, next });
}
