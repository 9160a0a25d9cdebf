import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { AccountError } from '../accounts/account-error.js';
import type { ProviderSignIn } from '../accounts/accounts.js';
import { createApp } from './app.js';
import { serveAuth } from './auth-routes.js';
import type { HttpSettings } from './context.js';
import { ADMIN_KEY, clinician, type FakeContext, fakeContext, SESSION } from './fake-context.suite.js';
import { servePages } from './page-routes.js';

let app: FastifyInstance;
let context: FakeContext;

function start(settings: Partial<HttpSettings> = {}): void {
  context = fakeContext({ settings });
  app = createApp(context);
  serveAuth(app);
  servePages(app);
  app.post('/write', { config: { access: 'jobs.create' } }, async (request) => request.actor.id);
  app.get('/read', { config: { access: 'jobs.read' } }, async (request) => request.actor.id);
}

afterEach(() => app.close());

const cookie = `other=1; isocenter_session=${SESSION}`;
const form = (fields: Record<string, string>) => ({
  payload: new URLSearchParams(fields).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

describe('signing in', () => {
  it('sets a cookie that scripts and other sites do not get', async () => {
    start();
    const answer = await app.inject({
      method: 'POST',
      url: '/auth/sign-in',
      payload: { name: 'cleo', password: 'right' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ me: { name: 'cleo', role: 'clinician' } });
    expect(answer.headers['set-cookie']).toMatch(
      /^isocenter_session=fresh; Path=\/; Expires=.*; HttpOnly; SameSite=Strict$/,
    );
  });

  it('sets it Secure when browsers come by https, directly named or told by a trusted proxy', async () => {
    const signIn = (headers: Record<string, string> = {}) =>
      app.inject({ method: 'POST', url: '/auth/sign-in', payload: { name: 'cleo', password: 'right' }, headers });
    start({ publicUrl: 'https://iso.example' });
    expect((await signIn()).headers['set-cookie']).toContain('; Secure');
    await app.close();
    start({ trustedProxies: ['127.0.0.1'] });
    expect((await signIn({ 'x-forwarded-proto': 'https' })).headers['set-cookie']).toContain('; Secure');
    await app.close();
    start();
    expect((await signIn({ 'x-forwarded-proto': 'https' })).headers['set-cookie']).not.toContain('Secure');
  });

  it('by the form leads to the first page, or shows the form again with what was wrong', async () => {
    start();
    const right = await app.inject({
      method: 'POST',
      url: '/auth/sign-in',
      ...form({ name: 'cleo', password: 'right' }),
    });
    expect([right.statusCode, right.headers.location]).toEqual([303, '/']);
    const wrong = await app.inject({
      method: 'POST',
      url: '/auth/sign-in',
      ...form({ name: '"><script>', password: 'x' }),
    });
    expect(wrong.statusCode).toBe(401);
    expect(wrong.body).toContain('role="alert"');
    expect(wrong.body).toContain('&quot;&gt;&lt;script&gt;');
    expect(wrong.body).not.toContain('<script');
    expect(wrong.body).not.toContain('value="x"');
  });

  it('refuses what another site posts', async () => {
    start();
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ] as const) {
      const answer = await app.inject({
        method: 'POST',
        url: '/auth/sign-in',
        payload: { name: 'cleo', password: 'right' },
        headers,
      });
      expect([answer.statusCode, answer.json().kind]).toEqual([403, 'cross-site']);
    }
  });

  it('answers a program that has locked itself out with 429 and how long to wait', async () => {
    start();
    const answer = await app.inject({ url: '/read', headers: { authorization: 'Bearer iso_locked' } });
    expect([answer.statusCode, answer.headers['retry-after'], answer.json().kind]).toEqual([429, '90', 'locked']);
  });

  it('says who one is, and ends with signing out', async () => {
    start();
    const me = await app.inject({ url: '/auth/me', headers: { cookie } });
    expect(me.json()).toMatchObject({
      id: 'c1',
      role: 'clinician',
      permissions: expect.arrayContaining(['jobs.read-all']),
    });
    const out = await app.inject({
      method: 'POST',
      url: '/auth/sign-out',
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
    });
    expect(out.statusCode).toBe(204);
    expect(out.headers['set-cookie']).toContain('Expires=Thu, 01 Jan 1970');
    expect((await app.inject({ url: '/auth/me', headers: { cookie } })).statusCode).toBe(401);
  });
});

describe('signing in with a provider', () => {
  const begin = { url: 'https://idp.example/authorize?state=s', cookie: 'flow-token', expiresAt: new Date(1e13) };
  const startWith = (finish: ProviderSignIn['finish']): void => {
    start({ publicUrl: 'https://iso.example' });
    context.fakeAccounts.provider = {
      label: 'Hospital',
      begin: async () => begin,
      finish,
    };
  };

  it('leads there with a short cookie that comes back, and enters with a Strict one', async () => {
    const finished: unknown[] = [];
    startWith(async (answer) => {
      finished.push([answer.cookie, answer.query.get('code')]);
      return { token: 'fresh', expiresAt: new Date(1e13), actor: clinician, returnTo: '/jobs' };
    });
    const there = await app.inject({ url: '/auth/oidc/begin' });
    expect([there.statusCode, there.headers.location]).toEqual([303, begin.url]);
    expect(there.headers['set-cookie']).toMatch(
      /^isocenter_flow=flow-token; Path=\/auth\/oidc; .*HttpOnly; SameSite=Lax; Secure$/,
    );
    const back = await app.inject({
      url: '/auth/oidc/callback?code=c&state=s',
      headers: { cookie: 'isocenter_flow=flow-token', 'sec-fetch-site': 'cross-site' },
    });
    expect(finished).toEqual([['flow-token', 'c']]);
    expect(back.headers.refresh).toBe('0; url=/jobs');
    const cookies = [back.headers['set-cookie']].flat().join('\n');
    expect(cookies).toMatch(/isocenter_flow=; .*1970/);
    expect(cookies).toMatch(/isocenter_session=fresh; Path=\/; .*SameSite=Strict; Secure/);
  });

  it('shows a browser a page when it is refused, and is not found without a provider', async () => {
    startWith(async () => {
      throw new AccountError('no-access', 'You may not use this server');
    });
    const refused = await app.inject({ url: '/auth/oidc/callback', headers: { accept: 'text/html' } });
    expect(refused.statusCode).toBe(403);
    expect(refused.headers['content-type']).toContain('text/html');
    expect(refused.body).toContain('You may not use this server');
    await app.close();
    start();
    expect((await app.inject({ url: '/auth/oidc/begin' })).statusCode).toBe(404);
  });
});

describe('a write with a session', () => {
  const write = (headers: Record<string, string>) =>
    app.inject({ method: 'POST', url: '/write', headers: { host: 'iso.local', cookie, ...headers } });

  it('is taken from our own pages only', async () => {
    start();
    expect((await write({ 'sec-fetch-site': 'same-origin' })).statusCode).toBe(200);
    expect((await write({ origin: 'http://iso.local' })).statusCode).toBe(200);
    for (const headers of [
      {},
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: 'http://iso.local' },
      { origin: 'http://iso.local:81' },
      { origin: 'https://iso.local' },
      { origin: 'http://iso.local.evil.example' },
    ] as Record<string, string>[])
      expect((await write(headers)).statusCode, JSON.stringify(headers)).toBe(403);
  });

  it('may come from the public address when a proxy stands before us', async () => {
    start({ publicUrl: 'https://iso.example/' });
    expect((await write({ origin: 'https://iso.example' })).statusCode).toBe(200);
  });

  it('needs no origin with a key, and a wrong key does not fall back to the session', async () => {
    start();
    expect((await write({ authorization: `Bearer ${ADMIN_KEY}` })).body).toBe('a1');
    expect((await write({ authorization: 'Bearer iso_wrong', 'sec-fetch-site': 'same-origin' })).statusCode).toBe(401);
    expect((await write({ authorization: 'Basic eDp5', 'sec-fetch-site': 'same-origin' })).statusCode).toBe(401);
  });

  it('is no matter for reading', async () => {
    start();
    expect((await app.inject({ url: '/read', headers: { cookie, 'sec-fetch-site': 'cross-site' } })).body).toBe('c1');
  });
});

describe('the pages', () => {
  it('let the first administrator choose a name and a password, once', async () => {
    start();
    const page = await app.inject({ url: '/setup?token=setup-token' });
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('value="setup-token"');
    const done = await app.inject({
      method: 'POST',
      url: '/auth/accept-invite',
      ...form({ token: 'setup-token', name: 'root', password: 'a long sentence of words' }),
    });
    expect([done.statusCode, done.headers.location]).toEqual([303, '/']);
    expect((await app.inject({ url: '/setup?token=setup-token' })).statusCode).toBe(410);
    expect(context.logged.join('')).not.toMatch(/setup-token|long sentence/);
  });

  it('hold no script and allow none', async () => {
    start();
    for (const url of ['/', '/sign-in', '/setup?token=setup-token', '/problems', '/problems/http/slow-body']) {
      const page = await app.inject({ url, headers: { accept: 'text/html,*/*;q=0.8' } });
      expect(page.statusCode, url).toBe(200);
      expect(page.headers['content-type']).toContain('text/html');
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
      expect(page.headers['content-security-policy']).not.toContain('unsafe');
      expect(page.body).toContain('<html lang="en">');
      expect(page.body).not.toMatch(/<script|<style|\son[a-z]+=|style=/i);
    }
  });

  it('explain every problem that is sent', async () => {
    start();
    const problem = (await app.inject({ url: '/read' })).json();
    const page = await app.inject({ url: problem.type });
    expect(page.body).toContain('<dd>401</dd>');
    expect((await app.inject({ url: '/problems/http/<x>' })).statusCode).toBe(404);
  });

  it('are for browsers: a program gets JSON at the root', async () => {
    start();
    expect((await app.inject({ url: '/' })).json()).toEqual({ name: 'isocenter', version: '0.1.0' });
  });
});
