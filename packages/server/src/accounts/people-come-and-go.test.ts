/** Managing people and their sessions; somebody who can is always left. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AccountsBench, accountsBench, PASSWORD } from './accounts.suite.js';
import type { Actor } from './actor.js';

const address = '192.0.2.30';
const MINUTE = 60_000;
let bench: AccountsBench;
let ada: Actor;
let adaToken: string;
beforeEach(async () => {
  bench = await accountsBench();
  const signedIn = await bench.person('Ada', 'administrator');
  [ada, adaToken] = [signedIn.actor, signedIn.token];
});
afterEach(() => bench.close());

const who = (sessionToken: string, accounts = bench.accounts) => accounts.authenticate({ sessionToken, address });

describe('the last administrator', () => {
  it('is not demoted, disabled or removed, by nobody', async () => {
    const { accounts, localToken } = bench;
    const owner = (await accounts.authenticate({ bearer: localToken, address: '::1' }))!;
    const last = { kind: 'last-administrator' };
    for (const actor of [ada, owner]) {
      await expect(accounts.users.update(ada.id, { role: 'clinician' }, actor)).rejects.toMatchObject(last);
      await expect(accounts.users.update(ada.id, { disabled: true }, actor)).rejects.toMatchObject(last);
      await expect(accounts.users.remove(ada.id, actor)).rejects.toMatchObject(last);
    }
    expect(await bench.audited('user.role-changed')).toEqual([]);
    expect(await who(adaToken)).toBeDefined();
  });

  it('is not the one who is disabled already', async () => {
    const { accounts } = bench;
    const bob = (await bench.person('Bob', 'administrator')).actor;
    await accounts.users.update(bob.id, { disabled: true }, ada);
    await expect(accounts.users.update(ada.id, { role: 'clinician' }, ada)).rejects.toMatchObject({
      kind: 'last-administrator',
    });
    await accounts.users.remove(bob.id, ada);
  });

  it('is left when two demote each other, or both resign, at the same moment', async () => {
    const { accounts } = bench;
    const other = bench.another();
    for (let round = 0; round < 5; round += 1) {
      const bob = (await bench.person(`Bob ${round}`, 'administrator')).actor;
      const cross = await Promise.allSettled([
        accounts.users.update(ada.id, { role: 'clinician' }, bob),
        other.users.update(bob.id, { role: 'clinician' }, ada),
      ]);
      expect(cross.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const owner = (await accounts.authenticate({ bearer: bench.localToken, address: '::1' }))!;
      await accounts.users.update(ada.id, { role: 'administrator' }, owner);
      await accounts.users.update(bob.id, { role: 'clinician' }, owner);
    }
  });
});

describe('people', () => {
  it('are listed for those who manage them', async () => {
    const bob = await bench.person('Bob', 'clinician');
    expect(await bench.accounts.users.list(ada)).toMatchObject([
      { name: 'Ada', role: 'administrator', signsInWith: 'password', disabled: false, lastSignInAt: bench.clock() },
      { name: 'Bob', role: 'clinician' },
    ]);
    await expect(bench.accounts.users.list(bob.actor)).rejects.toMatchObject({ kind: 'forbidden' });
    await expect(bench.accounts.users.update(ada.id, { role: 'service' }, bob.actor)).rejects.toMatchObject({
      kind: 'forbidden',
    });
    await expect(bench.accounts.users.update('x', {}, ada)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('who are disabled are out at once, elsewhere within five seconds, and changes are audited with their reason', async () => {
    const { accounts } = bench;
    const other = bench.another();
    const bob = await bench.person('Bob', 'clinician');
    expect(await who(bob.token)).toBeDefined();
    expect(await who(bob.token, other)).toBeDefined();
    await accounts.users.update(bob.actor.id, { role: 'data-scientist', disabled: true }, ada, 'left the hospital');
    expect(await who(bob.token)).toBeUndefined();
    bench.pass(4000);
    expect(await who(bob.token, other)).toBeUndefined();
    await accounts.users.update(bob.actor.id, { disabled: false }, ada);
    expect(await who(bob.token)).toBeUndefined();
    expect((await accounts.signIn('Bob', PASSWORD, address)).actor.role).toBe('data-scientist');
    const entries = (await bench.audited('user.')).filter(({ subjectId }) => subjectId === bob.actor.id);
    expect(entries.map(({ action, reason }) => [action, reason])).toEqual([
      ['user.created', undefined],
      ['user.role-changed', 'left the hospital'],
      ['user.disabled', 'left the hospital'],
      ['user.enabled', undefined],
      ['user.signed-in', undefined],
    ]);
  });

  it('see their new role in the session they have', async () => {
    const bob = await bench.person('Bob', 'clinician');
    expect((await who(bob.token))?.role).toBe('clinician');
    await bench.accounts.users.update(bob.actor.id, { role: 'administrator' }, ada);
    expect((await who(bob.token))?.role).toBe('administrator');
  });

  it('may be removed, disabled and given a new password at the same moment', async () => {
    const { accounts } = bench;
    for (let round = 0; round < 5; round += 1) {
      const { actor } = await bench.person('Bob', 'clinician');
      const { token } = await accounts.users.resetLink(actor.id, ada);
      const outcomes = await Promise.allSettled([
        accounts.acceptInvite(token, 'Bob', 'gravel tulip on the moon', address),
        bench.another().users.resetLink(actor.id, ada),
        bench.another().users.update(actor.id, { disabled: true }, ada),
        bench.another().users.remove(actor.id, ada),
      ]);
      // Each is done, or refused in our words: none meets a deadlock.
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(['bad-invite', 'not-found']).toContain(outcome.reason.kind);
      }
      expect(outcomes[3]!.status).toBe('fulfilled');
    }
  });

  it('who are removed leave no session, and their name is free again', async () => {
    const bob = await bench.person('Bob', 'clinician');
    await bench.accounts.users.remove(bob.actor.id, ada, 'asked for it');
    expect(await who(bob.token)).toBeUndefined();
    expect((await bench.person('Bob', 'clinician')).actor.id).not.toBe(bob.actor.id);
  });
});

describe('a session', () => {
  it('lives while it is used, up to twelve hours', async () => {
    const start = bench.clock().getTime();
    while (bench.clock().getTime() - start < 12 * 60 * MINUTE) {
      expect(await who(adaToken)).toBeDefined();
      await bench.accounts.close();
      bench.pass(100 * MINUTE);
    }
    expect(await who(adaToken)).toBeUndefined();
  });

  it('ends after two idle hours, also when it is remembered, and is swept', async () => {
    expect(await who(adaToken)).toBeDefined();
    await bench.accounts.close();
    bench.pass(120 * MINUTE - 1);
    expect(await who(adaToken, bench.another())).toBeDefined();
    const idle = await bench.person('Ida', 'clinician');
    bench.pass(120 * MINUTE);
    expect(await who(idle.token)).toBeUndefined();
    await bench.accounts.sweep();
    const left = await bench.database.db.selectFrom('account_session').select('account_id').execute();
    expect(left).toEqual([]);
  });

  it('is over when its person signs out, and that is written down', async () => {
    expect(await who(adaToken)).toBeDefined();
    await bench.accounts.signOut(adaToken);
    await bench.accounts.signOut(adaToken);
    await bench.accounts.signOut('nonsense');
    expect(await who(adaToken)).toBeUndefined();
    expect(await bench.audited('user.signed-out')).toHaveLength(1);
  });

  it('is seen and ended by its owner, and by administrators; others do not see it', async () => {
    const { sessions } = bench.accounts;
    const bob = await bench.person('Bob', 'clinician');
    const eve = await bench.person('Eve', 'clinician');
    const [mine, ...more] = await sessions.list(bob.actor);
    expect(more).toEqual([]);
    expect(mine).toMatchObject({ userName: 'Bob', userId: bob.actor.id });
    expect(JSON.stringify(mine)).not.toContain(bob.token);
    expect(await sessions.list(ada)).toHaveLength(3);
    await expect(sessions.revoke(mine!.id, eve.actor)).rejects.toMatchObject({ kind: 'not-found' });
    expect(await who(bob.token)).toBeDefined();
    await sessions.revoke(mine!.id, ada);
    expect(await who(bob.token)).toBeUndefined();
    expect(await bench.audited('session.revoked')).toHaveLength(1);
  });
});
