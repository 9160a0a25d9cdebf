/** Accounts over HTTP as browsers use them: first administrator, invitations, roles, passwords, sessions, keys. */
import { createClient } from '@isocenter/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD } from '../accounts/accounts.suite.js';
import { type RestServer, restServer } from './rest-server.suite.js';

let server: RestServer;

beforeAll(async () => {
  server = await restServer({ slots: 0 });
});
afterAll(() => server.close());

/** A browser on a page of the server: keeps its cookie, says where its requests come from. */
function browser() {
  let cookie = '';
  const fetchAsBrowser: typeof fetch = async (address, init) => {
    const headers = new Headers(init?.headers);
    headers.set('sec-fetch-site', 'same-origin');
    if (cookie) headers.set('cookie', cookie);
    const answer = await fetch(address, { ...init, headers });
    const [pair] = answer.headers.get('set-cookie')?.split(';') ?? [];
    if (pair !== undefined) cookie = pair.endsWith('=') ? '' : pair;
    return answer;
  };
  return Object.assign(createClient({ url: server.url, fetch: fetchAsBrowser }), { hasCookie: () => cookie !== '' });
}

test('the first administrator comes by the link of the first start and may invite others', async () => {
  const ada = browser();
  expect(await ada.invites.status()).toEqual({ needsSetup: true });
  await expect(ada.sessions.me()).rejects.toMatchObject({ status: 401 });
  const link = await server.parts.accounts.setupLink();
  const token = link?.token ?? '';
  expect(await ada.invites.inspect({ token })).toMatchObject({ purpose: 'setup', role: 'administrator' });
  const { me, ...rest } = await ada.invites.accept({ token, name: 'ada', password: PASSWORD });
  expect(me).toMatchObject({ kind: 'person', name: 'ada', role: 'administrator' });
  // The token of the session is in the cookie, and nowhere else.
  expect(Object.keys(rest)).toEqual(['expiresAt']);
  expect(ada.hasCookie()).toBe(true);
  await expect(browser().invites.accept({ token, name: 'eve', password: PASSWORD })).rejects.toMatchObject({
    kind: 'bad-invite',
  });
  expect(await ada.invites.status()).toEqual({ needsSetup: false });

  const invited = await ada.invites.create({ role: 'clinician', name: 'cleo' });
  const cleo = browser();
  await cleo.invites.accept({ token: invited.token, name: 'cleo', password: PASSWORD });
  expect((await cleo.sessions.me()).permissions).not.toContain('users.manage');
  await expect(cleo.users.list()).rejects.toMatchObject({ status: 403 });

  const { items } = await ada.users.list();
  expect(items.map(({ name, role }) => `${name} ${role}`).sort()).toEqual(['ada administrator', 'cleo clinician']);
  const user = items.find(({ name }) => name === 'cleo')?.id ?? '';
  expect(await ada.users.get({ user })).toMatchObject({ name: 'cleo', disabled: false, signsInWith: 'password' });
  expect((await ada.users.update({ user, role: 'data-scientist', reason: 'new work' })).role).toBe('data-scientist');
  expect((await cleo.sessions.me()).role).toBe('data-scientist');

  const reset = await ada.users.resetLink({ user });
  expect(await browser().invites.inspect({ token: reset.token })).toMatchObject({ purpose: 'reset', name: 'cleo' });
  await ada.users.unlock({ user });
  await ada.users.update({ user, disabled: true });
  await expect(cleo.sessions.me()).rejects.toMatchObject({ status: 401 });
  await ada.users.remove({ user, reason: 'left' });
  await expect(ada.users.get({ user })).rejects.toMatchObject({ status: 404 });
  const [ownId] = items.filter(({ name }) => name === 'ada').map(({ id }) => id);
  await expect(ada.users.remove({ user: ownId })).rejects.toMatchObject({ kind: 'last-administrator' });
});

test('a person signs in and out, changes the password, and ends sessions elsewhere', async () => {
  const here = browser();
  const there = browser();
  await expect(here.sessions.signIn({ name: 'ada', password: 'wrong' })).rejects.toMatchObject({
    status: 401,
    kind: 'wrong-credentials',
  });
  await here.sessions.signIn({ name: 'ada', password: PASSWORD });
  await there.sessions.signIn({ name: 'ada', password: PASSWORD });
  const { items } = await here.sessions.list();
  expect(items.length).toBeGreaterThanOrEqual(2);
  const changed = 'another four words: moss lantern quay';
  await here.sessions.changePassword({ current: PASSWORD, wanted: changed });
  await expect(there.sessions.me()).rejects.toMatchObject({ status: 401 });
  expect((await here.sessions.me()).name).toBe('ada');
  await there.sessions.signIn({ name: 'ada', password: changed });
  const [other] = (await here.sessions.list()).items.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  await here.sessions.revoke({ session: other.id });
  await expect(there.sessions.me()).rejects.toMatchObject({ status: 401 });
  await here.sessions.signOut();
  expect(here.hasCookie()).toBe(false);
  await expect(here.sessions.me()).rejects.toMatchObject({ status: 401 });
});

test('a key works until it is revoked, may do no more than its scopes, and is shown once', async () => {
  const person = await server.parts.accounts.setupLink();
  expect(person).toBeUndefined();
  const ada = browser();
  await ada.sessions.signIn({ name: 'ada', password: 'another four words: moss lantern quay' });
  const { id, key } = await ada.keys.create({ name: 'planning', scopes: ['jobs.create', 'models.read'] });
  const program = createClient({ url: server.url, key });
  expect((await program.sessions.me()).permissions.sort()).toEqual(['jobs.create', 'models.read']);
  await program.models.list();
  await expect(program.jobs.list()).rejects.toMatchObject({ status: 403 });
  const listed = (await ada.keys.list()).items.find((one) => one.id === id);
  expect(listed).toMatchObject({ name: 'planning', role: 'service', scopes: ['jobs.create', 'models.read'] });
  expect(JSON.stringify(listed)).not.toContain(key);
  await ada.keys.revoke({ key: id });
  await expect(program.sessions.me()).rejects.toMatchObject({ status: 401 });
  await expect(ada.keys.revoke({ key: 'nothing' })).rejects.toMatchObject({ status: 404 });
});

test('no password and no token stands in the log or in the audit log', async () => {
  const { items } = await server.client('administrator').audit.list({ limit: 500 });
  const said = JSON.stringify(items) + server.logged.join('');
  expect(items.length).toBeGreaterThan(10);
  for (const secret of [PASSWORD, 'moss lantern quay', server.keys.administrator]) expect(said).not.toContain(secret);
});
