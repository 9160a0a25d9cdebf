/** No default password: the first administrator, and everybody after, comes by a link that works once. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AccountsBench, accountsBench, PASSWORD } from './accounts.suite.js';
import { SYSTEM } from './actor.js';
import { newToken } from './tokens.js';

const HOUR = 3_600_000;
const here = '127.0.0.1';
let bench: AccountsBench;
beforeEach(async () => {
  bench = await accountsBench();
});
afterEach(() => bench.close());

describe('the first start', () => {
  it('makes a link that makes one administrator, who is signed in at once', async () => {
    const { accounts } = bench;
    expect(await accounts.needsSetup()).toBe(true);
    const link = await accounts.setupLink();
    expect(link?.expiresAt).toEqual(new Date(bench.clock().getTime() + 24 * HOUR));
    expect(await accounts.inspectLink(link!.token, here)).toMatchObject({ purpose: 'setup', role: 'administrator' });
    const { token, actor } = await accounts.acceptInvite(link!.token, ' Ada  Löwe ', PASSWORD, here);
    expect(actor).toMatchObject({ kind: 'person', name: 'Ada Löwe', role: 'administrator' });
    expect(await accounts.authenticate({ sessionToken: token, address: here })).toEqual(actor);
    expect(await accounts.needsSetup()).toBe(false);
    expect(await accounts.setupLink()).toBeUndefined();
    const again = accounts.acceptInvite(link!.token, 'Mallory', PASSWORD, here);
    await expect(again).rejects.toMatchObject({ kind: 'bad-invite' });
    const actions = (await bench.audited('user.')).map(({ action }) => action);
    expect(actions).toEqual(['user.setup-link-made', 'user.created']);
  });

  it('voids the link of the start before, and links end after a day', async () => {
    const { accounts } = bench;
    const first = await accounts.setupLink();
    const second = await bench.another().setupLink();
    await expect(accounts.acceptInvite(first!.token, 'Ada', PASSWORD, here)).rejects.toMatchObject({
      kind: 'bad-invite',
    });
    bench.pass(24 * HOUR);
    await expect(accounts.acceptInvite(second!.token, 'Ada', PASSWORD, here)).rejects.toMatchObject({
      kind: 'bad-invite',
    });
    await accounts.sweep();
    expect(await bench.database.db.selectFrom('account_link').selectAll().execute()).toEqual([]);
  });

  it('gives nothing to whoever comes when there is an administrator by another way', async () => {
    const { accounts } = bench;
    const setup = await accounts.setupLink();
    await bench.person('Ada', 'administrator');
    await expect(accounts.acceptInvite(setup!.token, 'Mallory', PASSWORD, here)).rejects.toMatchObject({
      kind: 'bad-invite',
    });
  });

  it('lets only one of two use the link at the same moment', async () => {
    const { accounts } = bench;
    const { token } = (await accounts.setupLink())!;
    const both = await Promise.allSettled([
      accounts.acceptInvite(token, 'Ada', PASSWORD, here),
      bench.another().acceptInvite(token, 'Grace', PASSWORD, '127.0.0.2'),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await bench.database.db.selectFrom('account').selectAll().execute()).toHaveLength(1);
  });
});

describe('a link', () => {
  it('survives a weak password, a bad name and a taken name', async () => {
    const { accounts } = bench;
    await bench.person('Ada', 'administrator');
    const { token } = await accounts.invite('clinician', SYSTEM);
    await expect(accounts.acceptInvite(token, 'Bob', 'password1234!', here)).rejects.toMatchObject({
      kind: 'weak-password',
    });
    await expect(accounts.acceptInvite(token, 'B\u202Eob', PASSWORD, here)).rejects.toMatchObject({ kind: 'bad-name' });
    await expect(accounts.acceptInvite(token, 'ＡＤＡ', PASSWORD, here)).rejects.toMatchObject({ kind: 'name-taken' });
    expect((await accounts.acceptInvite(token, 'Bob', PASSWORD, here)).actor.role).toBe('clinician');
  });

  it('for a name is only for that name', async () => {
    const { accounts } = bench;
    const { token } = await accounts.invite('clinician', SYSTEM, 'Bob');
    await expect(accounts.acceptInvite(token, 'Eve', PASSWORD, here)).rejects.toMatchObject({ kind: 'bad-name' });
    expect((await accounts.acceptInvite(token, 'bob', PASSWORD, here)).actor.name).toBe('bob');
  });

  it('that was guessed is refused, and guessing is slowed down', async () => {
    const { accounts } = bench;
    const guess = () => accounts.acceptInvite(newToken(), 'Eve', PASSWORD, here);
    for (let n = 0; n < 15; n += 1) await expect(guess()).rejects.toMatchObject({ kind: 'bad-invite' });
    await expect(guess()).rejects.toMatchObject({ kind: 'rate-limited', retryAfterSeconds: 4 });
    await expect(accounts.signIn('Ada', PASSWORD, here)).rejects.toMatchObject({ kind: 'rate-limited' });
    bench.pass(4000);
    await expect(guess()).rejects.toMatchObject({ kind: 'bad-invite' });
  });

  it('to reset sets a password, ends all sessions and unlocks', async () => {
    const { accounts } = bench;
    const ada = await bench.person('Ada', 'administrator');
    const bob = await bench.person('Bob', 'clinician');
    const { token } = await accounts.users.resetLink(bob.actor.id, ada.actor);
    const newer = await accounts.users.resetLink(bob.actor.id, ada.actor);
    for (let n = 0; n < 5; n += 1) await accounts.signIn('Bob', 'wrong', here).catch(() => undefined);
    await expect(accounts.signIn('Bob', PASSWORD, here)).rejects.toMatchObject({ kind: 'locked' });
    await expect(accounts.acceptInvite(token, 'Bob', 'a new one: gravel tulip', here)).rejects.toMatchObject({
      kind: 'bad-invite',
    });
    await accounts.acceptInvite(newer.token, 'Bob', 'a new one: gravel tulip', here);
    expect(await accounts.authenticate({ sessionToken: bob.token, address: here })).toBeUndefined();
    await expect(accounts.signIn('Bob', PASSWORD, here)).rejects.toMatchObject({ kind: 'wrong-credentials' });
    expect((await accounts.signIn('Bob', 'a new one: gravel tulip', here)).actor.id).toBe(bob.actor.id);
  });

  it('is worth no more than whoever made it is when it is used', async () => {
    const { accounts } = bench;
    const ada = await bench.person('Ada', 'administrator');
    const eve = await bench.person('Eve', 'administrator');
    const { token } = await accounts.invite('administrator', eve.actor);
    const reset = await accounts.users.resetLink(ada.actor.id, eve.actor);
    await accounts.users.update(eve.actor.id, { role: 'clinician' }, ada.actor);
    await expect(accounts.acceptInvite(token, 'Puppet', PASSWORD, here)).rejects.toMatchObject({ kind: 'bad-invite' });
    await expect(accounts.acceptInvite(reset.token, 'Ada', 'a new one: gravel tulip', here)).rejects.toMatchObject({
      kind: 'bad-invite',
    });
  });

  it('is not made by clinicians, data scientists or keys', async () => {
    const { accounts } = bench;
    const ada = await bench.person('Ada', 'administrator');
    for (const role of ['clinician', 'data-scientist', 'service'] as const) {
      const { actor } = await bench.person(role, role);
      await expect(accounts.invite('clinician', actor)).rejects.toMatchObject({ kind: 'forbidden' });
      await expect(accounts.users.resetLink(ada.actor.id, actor)).rejects.toMatchObject({ kind: 'forbidden' });
    }
    const { key } = await accounts.createKey({ name: 'all', role: 'administrator' }, ada.actor);
    const robot = await accounts.authenticate({ bearer: key, address: here });
    await expect(accounts.invite('clinician', robot!)).rejects.toMatchObject({ kind: 'forbidden' });
    await expect(accounts.users.resetLink(ada.actor.id, robot!)).rejects.toMatchObject({ kind: 'forbidden' });
  });
});
