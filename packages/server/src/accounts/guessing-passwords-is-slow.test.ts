/** Failed sign-ins: they wait longer and longer, tell nothing, and never keep the real owner out for ever. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AccountsBench, accountsBench, PASSWORD } from './accounts.suite.js';
import { PasswordHasher } from './password-hasher.js';

const home = '192.0.2.10';
let bench: AccountsBench;
beforeEach(async () => {
  // Waiting after failures is looked at here, so the limit per address stands aside where it is not the matter.
  bench = await accountsBench({ settings: { attemptsAtOnce: 10_000 } });
  await bench.person('Ada', 'administrator');
});
afterEach(() => bench.close());

const attempt = (password: string, address = home, name = 'Ada') =>
  bench.accounts.signIn(name, password, address).then(
    () => 'in',
    (error: { kind: string }) => error.kind,
  );

describe('signing in', () => {
  it('works with the name in any case and width, and gives a new token each time', async () => {
    const first = await bench.accounts.signIn('ada', PASSWORD, home);
    const second = await bench.accounts.signIn(' ＡＤＡ ', PASSWORD, home);
    expect(first.token).not.toBe(second.token);
    expect(second.actor).toEqual(first.actor);
  });

  it('works for one person on several servers at the same moment', async () => {
    const servers = [bench.accounts, bench.another(), bench.another()];
    // Fewer than the failures that lock: an attempt counts as one until its password was checked.
    for (let round = 0; round < 5; round += 1) {
      const all = await Promise.all(servers.map((server) => server.signIn('Ada', PASSWORD, home)));
      expect(new Set(all.map(({ token }) => token)).size).toBe(3);
    }
    expect(await bench.database.db.selectFrom('account_session').selectAll().execute()).toHaveLength(16);
  });

  it('replaces the session that the browser had', async () => {
    const { accounts } = bench;
    const first = await accounts.signIn('ada', PASSWORD, home);
    expect(await accounts.authenticate({ sessionToken: first.token, address: home })).toBeDefined();
    const second = await accounts.signIn('ada', PASSWORD, home, first.token);
    expect(await accounts.authenticate({ sessionToken: first.token, address: home })).toBeUndefined();
    expect(await accounts.authenticate({ sessionToken: second.token, address: home })).toBeDefined();
  });

  it.each([
    ['a wrong password', 'Ada', 'wrong'],
    ['an unknown name', 'Nobody', PASSWORD],
    ['an empty name', '', ''],
    ['a name with NUL', 'A\0da', PASSWORD],
    ['SQL', "Ada' OR '1'='1", PASSWORD],
  ])('fails alike with %s', async (_, name, password) => {
    const error = await bench.accounts.signIn(name, password, home).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind: 'wrong-credentials', message: 'Name or password is wrong' });
    const [entry] = await bench.audited('user.sign-in-failed');
    expect(JSON.stringify(entry)).not.toContain(name || PASSWORD);
  });

  it('fails alike for a disabled account', async () => {
    const { actor } = await bench.person('Bob', 'clinician');
    await bench.accounts.users.update(actor.id, { disabled: true }, { ...actor, role: 'administrator' });
    expect(await attempt(PASSWORD, home, 'Bob')).toBe('wrong-credentials');
  });
});

describe('the work behind a failure', () => {
  it('is the same whether the name exists or not', async () => {
    const verified: (string | undefined)[] = [];
    class Watched extends PasswordHasher {
      override async verify(stored: string | undefined, password: string): Promise<boolean> {
        verified.push(stored);
        return super.verify(stored, password);
      }
    }
    let queries = 0;
    const counting = bench.database.db.withPlugin({
      transformQuery: ({ node }) => {
        queries += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const { actor } = await bench.person('Bob', 'clinician');
    await bench.accounts.users.update(actor.id, { disabled: true }, { ...actor, role: 'administrator' });
    const accounts = bench.another({ db: counting, hasher: new Watched({ memoryCost: 64, timeCost: 1 }) });
    const counts: number[] = [];
    for (const name of ['Ada', 'Bob', 'Nobody']) {
      queries = 0;
      await expect(accounts.signIn(name, 'wrong', home)).rejects.toMatchObject({ kind: 'wrong-credentials' });
      counts.push(queries);
    }
    expect(counts).toEqual(Array(3).fill(counts[0]));
    expect(verified.map((stored) => stored === undefined)).toEqual([false, true, true]);
  });
});

describe('after five failures', () => {
  it('the name waits at this address, longer each time, also with the right password and on another server', async () => {
    for (let n = 0; n < 5; n += 1) expect(await attempt('wrong')).toBe('wrong-credentials');
    await expect(bench.accounts.signIn('Ada', PASSWORD, home)).rejects.toMatchObject({
      kind: 'locked',
      retryAfterSeconds: 5,
    });
    await expect(bench.another().signIn('Ada', PASSWORD, home)).rejects.toMatchObject({ kind: 'locked' });
    bench.pass(5000);
    expect(await attempt('wrong')).toBe('wrong-credentials');
    bench.pass(9999);
    expect(await attempt(PASSWORD)).toBe('locked');
    bench.pass(1);
    expect(await attempt(PASSWORD)).toBe('in');
    expect(await attempt('wrong')).toBe('wrong-credentials');
    expect(await attempt(PASSWORD)).toBe('in');
    const locks = await bench.audited('user.locked');
    expect(locks.map(({ details }) => JSON.parse(details!))).toEqual([
      { address: home, failures: 5, seconds: 5 },
      { address: home, failures: 6, seconds: 10 },
      { address: home, failures: 7, seconds: 20 },
    ]);
  });

  it('waiting never grows beyond a quarter of an hour, and is forgotten after a day', async () => {
    for (let n = 0; n < 16; n += 1) {
      expect(await attempt('wrong')).toBe('wrong-credentials');
      if (n > 14) expect(await attempt('wrong')).toBe('locked');
      bench.pass(15 * 60_000);
    }
    bench.pass(24 * 3_600_000);
    expect(await attempt('wrong')).toBe('wrong-credentials');
    expect(await attempt('wrong')).toBe('wrong-credentials');
  });

  it('a name that does not exist waits alike', async () => {
    const kinds = { Ada: [] as string[], Nobody: [] as string[] };
    for (const name of ['Ada', 'Nobody'] as const) {
      for (let n = 0; n < 8; n += 1) kinds[name].push(await attempt('wrong', home, name));
    }
    expect(kinds.Nobody).toEqual(kinds.Ada);
    expect(kinds.Ada.filter((kind) => kind === 'locked')).toHaveLength(3);
  });

  it('others sign in from there, and Ada from elsewhere', async () => {
    await bench.person('Bob', 'clinician');
    for (let n = 0; n < 6; n += 1) await attempt('wrong');
    expect(await attempt(PASSWORD, home, 'Bob')).toBe('in');
    expect(await attempt(PASSWORD, '192.0.2.11')).toBe('in');
  });

  it('an administrator can unlock', async () => {
    const boss = await bench.person('Boss', 'administrator');
    const ada = (await bench.accounts.users.list(boss.actor)).find(({ name }) => name === 'Ada')!;
    for (let n = 0; n < 6; n += 1) await attempt('wrong');
    expect(await attempt(PASSWORD)).toBe('locked');
    await bench.accounts.users.unlock(ada.id, boss.actor);
    expect(await attempt(PASSWORD)).toBe('in');
    expect(await bench.audited('user.unlocked')).toHaveLength(1);
  });

  it('fifty guesses at the same moment are not fifty free ones', async () => {
    const kinds = await Promise.all(Array.from({ length: 50 }, () => attempt('wrong')));
    expect(kinds.filter((kind) => kind !== 'locked')).toHaveLength(5);
  });
});

describe('a guesser with many addresses', () => {
  const many = (n: number) => `198.51.${n >> 8}.${n & 255}`;

  it('is slowed down over all of them, but not where the owner signed in before', async () => {
    expect(await attempt(PASSWORD, home)).toBe('in');
    const kinds: string[] = [];
    for (let n = 0; n < 40; n += 1) kinds.push(await attempt('wrong', many(n)));
    expect(kinds.filter((kind) => kind === 'locked')).toHaveLength(10);
    expect(await attempt(PASSWORD, many(99))).toBe('locked');
    expect(await attempt(PASSWORD, home)).toBe('in');
    bench.pass(20_000);
    expect(await attempt(PASSWORD, many(99))).toBe('in');
  });

  it('with one IPv6 network has one address', async () => {
    const kinds: string[] = [];
    for (let n = 0; n < 8; n += 1) kinds.push(await attempt('wrong', `2001:db8:1:2:${n}::1`));
    expect(kinds.filter((kind) => kind === 'locked')).toHaveLength(3);
  });

  it('never keeps the owner of the data directory out', async () => {
    for (let n = 0; n < 40; n += 1) await attempt('wrong', many(n));
    const owner = await bench.accounts.authenticate({ bearer: bench.localToken, address: '127.0.0.1' });
    expect(owner).toMatchObject({ kind: 'local', role: 'administrator' });
  });
});

describe('a flood of sign-ins', () => {
  it('is limited by address', async () => {
    const limited = bench.another({ settings: {} });
    const kinds: string[] = [];
    for (let n = 0; n < 17; n += 1) {
      kinds.push(
        (await limited.signIn(`Name ${n}`, 'x', home).catch((error: { kind: string }) => error.kind)) as string,
      );
    }
    expect(kinds.slice(0, 15)).toEqual(Array(15).fill('wrong-credentials'));
    expect(kinds.slice(15)).toEqual(['rate-limited', 'rate-limited']);
  });

  it('waits for few hashes at a time, and the rest is told to come back', async () => {
    const accounts = bench.another({ hasher: new PasswordHasher() });
    const kinds = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        accounts.signIn(`Name ${n}`, 'x', `203.0.113.${n}`).catch((error: { kind: string }) => error.kind),
      ),
    );
    const busy = kinds.filter((kind) => kind === 'busy').length;
    expect(busy).toBeGreaterThan(0);
    expect(kinds.filter((kind) => kind === 'wrong-credentials')).toHaveLength(60 - busy);
    const counted = await bench.database.db.selectFrom('sign_in_place').select('failures').execute();
    expect(counted.filter(({ failures }) => failures > 0)).toHaveLength(60 - busy);
    expect(await attempt(PASSWORD)).toBe('in');
  });
});

describe('changing the password', () => {
  it('ends all other sessions and needs the old one', async () => {
    const { accounts } = bench;
    const one = await accounts.signIn('Ada', PASSWORD, home);
    const two = await accounts.signIn('Ada', PASSWORD, home);
    const wanted = 'gravel tulip on the moon';
    await expect(accounts.changePassword(one.actor, 'wrong', wanted, home)).rejects.toMatchObject({
      kind: 'wrong-credentials',
    });
    await expect(accounts.changePassword(one.actor, PASSWORD, 'Ada-Ada-Ada-1', home)).rejects.toMatchObject({
      kind: 'weak-password',
    });
    const changed = await accounts.changePassword(one.actor, PASSWORD, wanted, home);
    for (const { token } of [one, two]) {
      expect(await accounts.authenticate({ sessionToken: token, address: home })).toBeUndefined();
    }
    expect(await accounts.authenticate({ sessionToken: changed.token, address: home })).toEqual(one.actor);
    expect(await attempt(PASSWORD)).toBe('wrong-credentials');
    expect(await attempt(wanted)).toBe('in');
  });

  it('is not for keys or the local owner', async () => {
    const owner = await bench.accounts.authenticate({ bearer: bench.localToken, address: '::1' });
    await expect(bench.accounts.changePassword(owner!, 'x', PASSWORD, home)).rejects.toMatchObject({
      kind: 'forbidden',
    });
  });
});
