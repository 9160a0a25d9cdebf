/**
 * An OpenID Connect provider on loopback that does what a good one does (checks PKCE, client secret and redirect URI, uses codes
 * once) and lies on demand. Its answers are made with jose.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';

/** What the next ID token says instead of the truth. */
export interface Lie {
  nonce?: string;
  issuer?: string;
  audience?: string | string[];
  /** Seconds from now. */
  expiresIn?: number;
  issuedIn?: number;
  subject?: string;
  unsigned?: boolean;
  /** Signed with a key that the provider does not publish, under the id of one that it does. */
  foreignKey?: boolean;
  /** HMAC with the client secret. */
  hmac?: boolean;
  tokenStatus?: number;
  /** Sent back to the callback instead of the code. */
  refuses?: string;
}

export interface FakeProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  person: { sub: string; [claim: string]: unknown };
  userinfo: Record<string, unknown>;
  lie: Lie;
  /** Discovery and everything else answer with 500. */
  broken: boolean;
  /** Requests so far, by path. */
  readonly asked: Record<string, number>;
  /** New signing key; the old one is no longer published. */
  rotate(): Promise<void>;
  /** What the person's browser does: opens the page, agrees, and is sent back with this query. */
  visit(url: string): Promise<URLSearchParams>;
  close(): Promise<void>;
}

interface Grant {
  readonly challenge: string;
  readonly nonce: string;
  readonly redirectUri: string;
}

export async function fakeProvider(): Promise<FakeProvider> {
  const grants = new Map<string, Grant>();
  let key = await newSigningKey();
  const foreign = await newSigningKey();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: FakeProvider = {
    issuer,
    clientId: 'isocenter',
    clientSecret: 'a secret: with/strange%characters',
    person: { sub: 'subject-1', preferred_username: 'ada', groups: ['staff', 'radiology'] },
    userinfo: {},
    lie: {},
    broken: false,
    asked: {},
    async rotate() {
      key = await newSigningKey();
    },
    async visit(url) {
      const answered = await fetch(url, { redirect: 'manual' });
      return new URL(answered.headers.get('location')!).searchParams;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, issuer);
    provider.asked[url.pathname] = (provider.asked[url.pathname] ?? 0) + 1;
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (provider.broken) return void json(500, { error: 'server_error' });
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return void json(200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          userinfo_endpoint: `${issuer}/userinfo`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          authorization_response_iss_parameter_supported: true,
        });
      case '/jwks':
        return void json(200, { keys: [key.public] });
      case '/authorize':
        return void response.writeHead(302, { location: authorize(url.searchParams) }).end();
      case '/token': {
        const [status, body] = await token(request);
        return void json(status, body);
      }
      case '/userinfo':
        return void json(200, { sub: provider.person.sub, ...provider.userinfo });
      default:
        return void json(404, {});
    }
  }

  function authorize(query: URLSearchParams): string {
    const back = new URL(query.get('redirect_uri')!);
    back.searchParams.set('state', query.get('state')!);
    back.searchParams.set('iss', issuer);
    const sound = query.get('code_challenge_method') === 'S256' && query.get('client_id') === provider.clientId;
    if (provider.lie.refuses || !sound) {
      back.searchParams.set('error', provider.lie.refuses ?? 'invalid_request');
      back.searchParams.set('error_description', 'Ada Lovelace may not');
      return back.href;
    }
    const code = randomUUID();
    grants.set(code, {
      challenge: query.get('code_challenge')!,
      nonce: query.get('nonce')!,
      redirectUri: query.get('redirect_uri')!,
    });
    back.searchParams.set('code', code);
    return back.href;
  }

  async function token(request: IncomingMessage): Promise<[number, unknown]> {
    if (provider.lie.tokenStatus) return [provider.lie.tokenStatus, { error: 'temporarily_unavailable' }];
    let text = '';
    for await (const chunk of request) text += chunk;
    const form = new URLSearchParams(text);
    const basic = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
    const [id, secret] = basic.split(':').map(decodeForm);
    if (id !== provider.clientId || secret !== provider.clientSecret) return [401, { error: 'invalid_client' }];
    const code = form.get('code') ?? '';
    const grant = grants.get(code);
    grants.delete(code);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const sound = grant && grant.challenge === verifier && grant.redirectUri === form.get('redirect_uri');
    if (!sound) return [400, { error: 'invalid_grant' }];
    return [200, { access_token: randomUUID(), token_type: 'Bearer', expires_in: 60, id_token: await idToken(grant) }];
  }

  async function idToken(grant: Grant): Promise<string> {
    const { lie, person } = provider;
    const now = Math.floor(Date.now() / 1000);
    const { sub, ...claims } = person;
    const payload = { ...claims, nonce: lie.nonce ?? grant.nonce };
    const filled = <T extends SignJWT | UnsecuredJWT>(jwt: T): T =>
      jwt
        .setIssuer(lie.issuer ?? issuer)
        .setAudience(lie.audience ?? provider.clientId)
        .setSubject(lie.subject ?? sub)
        .setIssuedAt(now + (lie.issuedIn ?? 0))
        .setExpirationTime(now + (lie.expiresIn ?? 300)) as T;
    if (lie.unsigned) return filled(new UnsecuredJWT(payload)).encode();
    if (lie.hmac) {
      return filled(new SignJWT(payload)).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(provider.clientSecret));
    }
    const signer = lie.foreignKey ? foreign : key;
    return filled(new SignJWT(payload)).setProtectedHeader({ alg: 'RS256', kid: key.public.kid! }).sign(signer.private);
  }

  return provider;
}

async function newSigningKey(): Promise<{ private: CryptoKey; public: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  return {
    private: privateKey,
    public: { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: 'RS256', use: 'sig' },
  };
}

function decodeForm(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
