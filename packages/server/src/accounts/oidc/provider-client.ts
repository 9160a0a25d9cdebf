/**
 * Talks to the provider (OpenID Connect Core 1.0 §3.1, RFC 7636 PKCE, RFC 9207 issuer in the answer) with openid-client, which checks
 * state, nonce, issuer, audience and time. It leaves the signature of an ID token that came by TLS unchecked, as the
 * standard allows; we check it as well, with jose, because a proxy that opens TLS is common in hospitals. Both packages
 * are loaded with the first sign-in, never without a provider.
 */
import type { JWTVerifyGetKey } from 'jose';
import type { Configuration } from 'openid-client';
import { isLoopback } from '../networks.js';
import { providerError, unavailable } from './provider-errors.js';
import type { CheckedProvider } from './provider-settings.js';
import { type Claims, claimValues } from './role-claims.js';

/** Asymmetric ones only: with HS256 whoever knows the client secret could sign, and `none` is no signature. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** The discovery document is read again after this. */
const DISCOVERY_MS = 3_600_000;

export interface LoginSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface ProviderIdentity {
  /** As the ID token names it; with `subject` the only thing that identifies. */
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Claims;
}

interface Discovered {
  readonly configuration: Configuration;
  readonly keys: JWTVerifyGetKey;
  readonly at: number;
}

export class ProviderClient {
  readonly #settings: CheckedProvider;
  #discovered: Promise<Discovered> | undefined;

  constructor(settings: CheckedProvider) {
    this.#settings = settings;
  }

  /** Where to send the browser, and what must come back. Throws AccountError `provider-unavailable`. */
  async authorization(): Promise<{ readonly url: URL; readonly secrets: LoginSecrets }> {
    const { configuration } = await this.#discover();
    const oidc = await import('openid-client');
    const secrets = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier() };
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#settings.redirectUri,
      scope: this.#settings.scopes,
      response_type: 'code',
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(secrets.verifier),
      code_challenge_method: 'S256',
    });
    return { url, secrets };
  }

  /** Who came back. Throws AccountError `bad-login`, `provider-refused`, `provider-unavailable`. */
  async identity(query: URLSearchParams, secrets: LoginSecrets): Promise<ProviderIdentity> {
    const { configuration, keys } = await this.#discover();
    const [oidc, jose] = await Promise.all([import('openid-client'), import('jose')]);
    const answered = new URL(this.#settings.redirectUri);
    answered.search = query.toString();
    try {
      const tokens = await oidc.authorizationCodeGrant(configuration, answered, {
        expectedState: secrets.state,
        expectedNonce: secrets.nonce,
        pkceCodeVerifier: secrets.verifier,
        idTokenExpected: true,
      });
      const { payload } = await jose.jwtVerify(tokens.id_token!, keys, {
        issuer: configuration.serverMetadata().issuer,
        audience: this.#settings.clientId,
        algorithms: ALGORITHMS,
        clockTolerance: this.#settings.clockToleranceSeconds,
        requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
      });
      const missing = claimValues(payload, this.#settings.roleClaim) === undefined;
      const more =
        missing && configuration.serverMetadata().userinfo_endpoint
          ? await oidc.fetchUserInfo(configuration, tokens.access_token, payload.sub!)
          : {};
      return { issuer: payload.iss!, subject: payload.sub!, claims: { ...more, ...payload } };
    } catch (error) {
      throw providerError(error);
    }
  }

  /** Once for all who wait; a failure is not remembered. */
  async #discover(): Promise<Discovered> {
    this.#discovered ??= this.#read();
    const reading = this.#discovered;
    try {
      const discovered = await reading;
      if (performance.now() - discovered.at < DISCOVERY_MS) return discovered;
    } catch (error) {
      if (this.#discovered === reading) this.#discovered = undefined;
      throw unavailable(error);
    }
    if (this.#discovered === reading) this.#discovered = undefined;
    return this.#discover();
  }

  async #read(): Promise<Discovered> {
    const [oidc, jose] = await Promise.all([import('openid-client'), import('jose')]);
    const { issuer, clientId, clientSecret, clockToleranceSeconds, timeoutSeconds, keysEveryMs } = this.#settings;
    const insecure = (url: string) => new URL(url).protocol === 'http:' && isLoopback(new URL(url).hostname);
    const execute = insecure(issuer) ? [oidc.allowInsecureRequests] : [];
    const found = await oidc.discovery(new URL(issuer), clientId, {}, oidc.None(), {
      timeout: timeoutSeconds,
      execute,
    });
    const server = found.serverMetadata();
    const methods = server.token_endpoint_auth_methods_supported;
    const byPost = methods?.includes('client_secret_post') && !methods.includes('client_secret_basic');
    const authentication =
      clientSecret === undefined
        ? oidc.None()
        : byPost
          ? oidc.ClientSecretPost(clientSecret)
          : oidc.ClientSecretBasic(clientSecret);
    const configuration = new oidc.Configuration(
      server,
      clientId,
      { [oidc.clockTolerance]: clockToleranceSeconds },
      authentication,
    );
    configuration.timeout = timeoutSeconds;
    for (const change of execute) change(configuration);
    const keys = jose.createRemoteJWKSet(new URL(server.jwks_uri!), {
      timeoutDuration: timeoutSeconds * 1000,
      cooldownDuration: keysEveryMs,
    });
    return { configuration, keys, at: performance.now() };
  }
}
