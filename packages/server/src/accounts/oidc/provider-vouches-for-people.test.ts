/** Sign-in with a provider: who it vouches for comes in with the role of their groups, and nothing else does. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Accounts, ProviderSignIn } from '../accounts.js';
import { type AccountsBench, accountsBench } from '../accounts.suite.js';
import { type FakeProvider, fakeProvider, type Lie } from './fake-provider.suite.js';
import type { ProviderSettings } from './provider-settings.js';
import { claimValues, roleOf, shownName } from './role-claims.js';

const address = '192.0.2.40';
let faked: FakeProvider;
let bench: AccountsBench;

beforeAll(async () => {
  faked = await fakeProvider();
});
afterAll(() => faked.close());
beforeEach(async () => {
  Object.assign(faked, { lie: {}, broken: false, userinfo: {} });
  faked.person = { sub: 'subject-1', preferred_username: 'ada', groups: ['staff', 'radiology'] };
  bench = await accountsBench({ settings: { attemptsAtOnce: 1000 } });
});
afterEach(() => bench.close());

function settings(changes: Partial<ProviderSettings> = {}): ProviderSettings {
  return {
    issuer: faked.issuer,
    clientId: faked.clientId,
    clientSecret: faked.clientSecret,
    redirectUri: 'https://isocenter.example/auth/oidc/callback',
    roles: { radiology: 'clinician', research: 'data-scientist', admins: 'administrator' },
    keysEveryMs: 0,
    timeoutSeconds: 5,
    ...changes,
  };
}

function withProvider(changes: Partial<ProviderSettings> = {}): Accounts & { provider: ProviderSignIn } {
  return bench.another({ provider: settings(changes) }) as Accounts & { provider: ProviderSignIn };
}

async function comeIn(accounts: { provider: ProviderSignIn }, returnTo?: string) {
  const { url, cookie } = await accounts.provider.begin({ address, ...(returnTo !== undefined && { returnTo }) });
  return accounts.provider.finish({ query: await faked.visit(url), cookie, address });
}

const kindOf = (work: Promise<unknown>) =>
  work.then(
    () => 'in',
    (error: { kind?: string }) => error.kind ?? String(error),
  );

describe('a person whom the provider knows', () => {
  it('comes in with the role of their groups, and keeps one account', async () => {
    const accounts = withProvider();
    const first = await comeIn(accounts, '/models?page=2');
    expect(first).toMatchObject({ actor: { kind: 'person', role: 'clinician' }, returnTo: '/models?page=2' });
    expect(first.actor.name).toBe(`ada (${new URL(faked.issuer).host})`);
    expect(await accounts.authenticate({ sessionToken: first.token, address })).toEqual(first.actor);
    const second = await comeIn(accounts);
    expect(second.actor.id).toBe(first.actor.id);
    expect((await bench.audited('user.')).map(({ action }) => action)).toEqual([
      'user.created',
      'user.signed-in',
      'user.signed-in',
    ]);
  });

  it('is linked by issuer and subject, never by name or e-mail', async () => {
    const accounts = withProvider();
    const ada = await bench.person('ada', 'administrator');
    faked.person = { ...faked.person, email: 'ada', email_verified: true };
    const outsider = await comeIn(accounts);
    expect(outsider.actor.id).not.toBe(ada.actor.id);
    expect(outsider.actor.role).toBe('clinician');
    faked.person = { ...faked.person, sub: 'subject-2' };
    expect((await comeIn(accounts)).actor.id).not.toBe(outsider.actor.id);
  });

  it('has the strongest of several roles, and a new one when the groups change', async () => {
    const accounts = withProvider();
    faked.person.groups = ['radiology', 'research'];
    const before = await comeIn(accounts);
    expect(before.actor.role).toBe('data-scientist');
    faked.person.groups = ['admins', 'radiology'];
    await comeIn(accounts);
    expect((await accounts.authenticate({ sessionToken: before.token, address }))?.role).toBe('administrator');
    expect(await bench.audited('user.role-changed')).toMatchObject([
      { details: '{"from":"data-scientist","to":"administrator"}' },
    ]);
  });

  it('without a group that means something stays out, and loses what they had', async () => {
    const accounts = withProvider();
    const { token, actor } = await comeIn(accounts);
    faked.person.groups = ['radiology2', 'constructor', '__proto__'];
    expect(await kindOf(comeIn(accounts))).toBe('no-access');
    expect(await accounts.authenticate({ sessionToken: token, address })).toBeUndefined();
    expect(await bench.audited('user.disabled')).toMatchObject([
      { subjectId: actor.id, reason: 'groups at the provider' },
    ]);
    faked.person = { sub: 'stranger' };
    expect(await kindOf(comeIn(accounts))).toBe('no-access');
    expect(await bench.audited('user.disabled')).toHaveLength(1);
    const refused = await bench.audited('user.sign-in-refused');
    expect(refused.map(({ subjectKind, subjectId }) => [subjectKind, subjectId])).toEqual([
      ['account', actor.id],
      ['provider', new URL(faked.issuer).host],
    ]);
  });

  it('who was disabled here stays out whatever the provider says', async () => {
    const accounts = withProvider();
    const boss = await bench.person('Boss', 'administrator');
    const { actor } = await comeIn(accounts);
    await accounts.users.update(actor.id, { disabled: true }, boss.actor);
    expect(await kindOf(comeIn(accounts))).toBe('no-access');
    expect(await kindOf(accounts.users.update(actor.id, { role: 'administrator' }, boss.actor))).toBe('forbidden');
    expect(await kindOf(accounts.users.resetLink(actor.id, boss.actor))).toBe('forbidden');
    expect(await kindOf(accounts.changePassword(actor, 'x', 'gravel tulip on the moon', address))).toBe('forbidden');
  });

  it('may have the groups in the userinfo instead of the token, or deeper in a claim', async () => {
    delete faked.person.groups;
    faked.userinfo = { groups: 'research' };
    expect((await comeIn(withProvider())).actor.role).toBe('data-scientist');
    faked.person.realm_access = { roles: ['admins'] };
    expect((await comeIn(withProvider({ roleClaim: 'realm_access.roles' }))).actor.role).toBe('administrator');
  });

  it('is made once when both browsers come back at the same moment', async () => {
    const accounts = withProvider();
    const [a, b] = await Promise.all([comeIn(accounts), comeIn(accounts)]);
    expect(a.actor.id).toBe(b.actor.id);
  });
});

describe('an answer that does not hold', () => {
  const lies: readonly [what: string, lie: Lie, kind: string][] = [
    ['a wrong nonce', { nonce: 'other' }, 'bad-login'],
    ['a token that ended', { expiresIn: -60, issuedIn: -360 }, 'bad-login'],
    ['a wrong issuer', { issuer: 'https://evil.example' }, 'bad-login'],
    ['a wrong audience', { audience: 'another-client' }, 'bad-login'],
    ['an audience of several without us', { audience: ['a', 'b'] }, 'bad-login'],
    ['no signature (alg none)', { unsigned: true }, 'bad-login'],
    ['the signature of another key', { foreignKey: true }, 'bad-login'],
    ['a signature made with the client secret', { hmac: true }, 'bad-login'],
    ['a token endpoint that fails', { tokenStatus: 503 }, 'provider-unavailable'],
    ['a token endpoint that refuses', { tokenStatus: 400 }, 'provider-refused'],
    ['a refusal', { refuses: 'access_denied' }, 'provider-refused'],
  ];
  it.each(lies)('with %s lets nobody in', async (_, lie, kind) => {
    const accounts = withProvider();
    faked.lie = lie;
    const error = await comeIn(accounts).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind });
    expect((error as Error).message + JSON.stringify(error)).not.toContain('Lovelace');
    expect(await bench.database.db.selectFrom('account').selectAll().execute()).toEqual([]);
    expect(await bench.database.db.selectFrom('account_session').selectAll().execute()).toEqual([]);
  });

  it('is excused when the clocks differ by less than half a minute', async () => {
    faked.lie = { expiresIn: -20, issuedIn: -300 };
    expect(await kindOf(comeIn(withProvider()))).toBe('in');
    expect(await kindOf(comeIn(withProvider({ clockToleranceSeconds: 5 })))).toBe('bad-login');
  });

  it('with another state, from another issuer, without a code, or twice, lets nobody in', async () => {
    const accounts = withProvider();
    const change = async (name: string, value: string | undefined) => {
      const { url, cookie } = await accounts.provider.begin({ address });
      const query = await faked.visit(url);
      if (value === undefined) query.delete(name);
      else query.set(name, value);
      return kindOf(accounts.provider.finish({ query, cookie, address }));
    };
    expect(await change('state', 'x')).toBe('bad-login');
    expect(await change('state', undefined)).toBe('bad-login');
    expect(await change('iss', 'https://evil.example')).toBe('bad-login');
    expect(await change('iss', undefined)).toBe('bad-login');
    expect(await change('code', 'x')).toBe('bad-login');
    expect(await change('code', undefined)).toBe('bad-login');

    const { url, cookie } = await accounts.provider.begin({ address });
    const query = await faked.visit(url);
    expect(await kindOf(accounts.provider.finish({ query, cookie, address }))).toBe('in');
    expect(await kindOf(accounts.provider.finish({ query, cookie, address }))).toBe('bad-login');
  });

  it('in another browser, or after ten minutes, lets nobody in', async () => {
    const accounts = withProvider();
    const mine = await accounts.provider.begin({ address });
    const theirs = await accounts.provider.begin({ address });
    const query = await faked.visit(theirs.url);
    for (const cookie of [undefined, '', 'x', mine.cookie]) {
      expect(await kindOf(accounts.provider.finish({ query, cookie, address })), String(cookie)).toBe('bad-login');
    }
    bench.pass(10 * 60_000);
    expect(await kindOf(accounts.provider.finish({ query, cookie: theirs.cookie, address }))).toBe('bad-login');
    await accounts.sweep();
    expect(await bench.database.db.selectFrom('provider_login').selectAll().execute()).toEqual([]);
  });

  it('leads to no other site afterwards', async () => {
    const accounts = withProvider();
    for (const returnTo of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '/a\nb',
      '',
    ]) {
      expect((await comeIn(accounts, returnTo)).returnTo, returnTo).toBeUndefined();
    }
  });
});

describe('the provider', () => {
  it('may change its keys at any time', async () => {
    const accounts = withProvider();
    expect(await kindOf(comeIn(accounts))).toBe('in');
    await faked.rotate();
    expect(await kindOf(comeIn(accounts))).toBe('in');
    const before = faked.asked['/jwks']!;
    expect(await kindOf(comeIn(accounts))).toBe('in');
    expect(faked.asked['/jwks']).toBe(before);
  });

  it('may be down when we start, and work later, while passwords work', async () => {
    faked.broken = true;
    const accounts = withProvider();
    const begun = () => accounts.provider.begin({ address });
    expect(await kindOf(begun())).toBe('provider-unavailable');
    const nowhere = withProvider({ issuer: 'http://127.0.0.1:9' });
    expect(await kindOf(nowhere.provider.begin({ address }))).toBe('provider-unavailable');
    expect((await bench.person('Bob', 'clinician')).actor.name).toBe('Bob');
    faked.broken = false;
    const { url, cookie } = await begun();
    const query = await faked.visit(url);
    faked.broken = true;
    expect(await kindOf(accounts.provider.finish({ query, cookie, address }))).toBe('provider-unavailable');
  });

  it('is asked by nobody more often than the limit of their address', async () => {
    const accounts = bench.another({ provider: settings(), settings: {} }) as Accounts & { provider: ProviderSignIn };
    for (let n = 0; n < 15; n += 1) await accounts.provider.begin({ address });
    expect(await kindOf(accounts.provider.begin({ address }))).toBe('rate-limited');
  });

  it('that does not know our secret says so clearly', async () => {
    expect(await kindOf(comeIn(withProvider({ clientSecret: 'old' })))).toBe('provider-refused');
  });

  it.each([
    ['issuer', { issuer: 'http://idp.example' }],
    ['issuer', { issuer: 'idp' }],
    ['redirectUri', { redirectUri: 'http://isocenter.example/auth/oidc/callback' }],
    ['clientId', { clientId: '' }],
    ['roles', { roles: {} }],
    ['roles.x', { roles: { x: 'root' as never } }],
    ['scopes', { scopes: 'profile' }],
  ])('with an impossible %s is refused at the start', (where, changes) => {
    expect(() => withProvider(changes)).toThrow(expect.objectContaining({ kind: 'bad-settings', where }));
  });

  it('is not there unless it is configured', () => {
    expect(bench.accounts.provider).toBeUndefined();
  });
});

describe('claims', () => {
  it('are found by name, also a name with dots, or by path', () => {
    expect(claimValues({ 'https://x.example/roles': ['a', 1, null] }, 'https://x.example/roles')).toEqual(['a']);
    expect(claimValues({ a: { b: { c: 'd' } } }, 'a.b.c')).toEqual(['d']);
    expect(claimValues({ a: 'x' }, 'a.b')).toBeUndefined();
    expect(claimValues({}, 'constructor.name')).toBeUndefined();
    expect(claimValues({ groups: [] }, 'groups')).toEqual([]);
    expect(roleOf(['toString'], {})).toBeUndefined();
  });

  it('give a name that can be shown', () => {
    expect(shownName({ preferred_username: '<b>ada</b>\u202E' }, 'https://idp.example/x')).toBe('badab (idp.example)');
    expect(shownName({}, 'https://idp.example')).toBe('Somebody (idp.example)');
  });
});
