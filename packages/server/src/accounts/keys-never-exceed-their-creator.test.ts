/** API keys: shown once, limited, revocable at once, and never more than whoever made them is now. */
import { permissions, permissionsOf } from '@isocenter/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AccountsBench, accountsBench } from './accounts.suite.js';
import { type Actor, may } from './actor.js';
import { newKey } from './tokens.js';

const address = '192.0.2.20';
let bench: AccountsBench;
let ada: Actor;
let grace: Actor;
beforeEach(async () => {
  bench = await accountsBench();
  ada = (await bench.person('Ada', 'administrator')).actor;
  grace = (await bench.person('Grace', 'data-scientist')).actor;
});
afterEach(() => bench.close());

const who = (key: string, accounts = bench.accounts) => accounts.authenticate({ bearer: key, address });
const permitted = (actor: Actor | undefined) =>
  actor ? permissions.filter((permission) => may(actor, permission)) : undefined;

describe('a key', () => {
  it('is a service by default, with a name, and is stored only as a hash', async () => {
    const { id, key } = await bench.accounts.createKey({ name: 'Gateway' }, grace);
    expect(key).toMatch(/^iso_[\w-]{43}$/);
    const actor = await who(key);
    expect(actor).toMatchObject({ kind: 'key', id, name: 'Gateway', role: 'service' });
    expect(permitted(actor)).toEqual(permissions.filter((permission) => permissionsOf.service.includes(permission)));
    const row = await bench.database.db.selectFrom('api_key').selectAll().executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(key.slice(13));
    expect(row.prefix).toBe(key.slice(0, 12));
    const [entry] = await bench.audited('key.');
    expect(JSON.stringify(entry)).not.toContain(key.slice(13));
  });

  it('may be limited to scopes of its role', async () => {
    const { accounts } = bench;
    const { key } = await accounts.createKey({ name: 'Reader', scopes: ['models.read'] }, grace);
    expect(permitted(await who(key))).toEqual(['models.read']);
    const beyond = accounts.createKey({ name: 'x', scopes: ['users.manage'] }, ada);
    await expect(beyond).rejects.toMatchObject({ kind: 'bad-key', where: 'scopes' });
    await expect(accounts.createKey({ name: 'x', scopes: [] }, ada)).rejects.toMatchObject({ kind: 'bad-key' });
  });

  it('ends when it says so, although it is remembered', async () => {
    const { accounts } = bench;
    const expiresAt = new Date(bench.clock().getTime() + 2000);
    const { key } = await accounts.createKey({ name: 'Short', expiresAt }, ada);
    bench.pass(1999);
    expect(await who(key)).toBeDefined();
    bench.pass(1);
    expect(await who(key)).toBeUndefined();
    await expect(accounts.createKey({ name: 'Past', expiresAt }, ada)).rejects.toMatchObject({
      kind: 'bad-key',
      where: 'expiresAt',
    });
  });

  it('with one character changed, of another form or unknown is nobody', async () => {
    const { key } = await bench.accounts.createKey({ name: 'Gateway' }, grace);
    const wrong = key.slice(0, -3) + (key.at(-3) === 'A' ? 'B' : 'A') + key.slice(-2);
    for (const bearer of [
      wrong,
      newKey().key,
      '',
      'iso_',
      key.slice(4),
      `${key} `,
      key.toUpperCase(),
      'x'.repeat(100_000),
    ]) {
      expect(await who(bearer), bearer.slice(0, 50)).toBeUndefined();
    }
  });

  it('notes its last use, once a minute', async () => {
    const { accounts } = bench;
    const { key } = await accounts.createKey({ name: 'Gateway' }, grace);
    const lastUse = async () => {
      await accounts.close();
      return (await accounts.keys.list(grace))[0]?.lastUsedAt;
    };
    expect(await lastUse()).toBeUndefined();
    const first = bench.clock();
    await who(key);
    expect(await lastUse()).toEqual(first);
    bench.pass(59_999);
    await who(key);
    expect(await lastUse()).toEqual(first);
    bench.pass(1);
    await who(key);
    expect(await lastUse()).toEqual(bench.clock());
  });
});

describe('beyond its creator', () => {
  it('nobody makes keys of roles that may do more, and clinicians make none', async () => {
    const { accounts } = bench;
    const clinician = (await bench.person('Carl', 'clinician')).actor;
    for (const role of ['administrator', 'clinician'] as const) {
      await expect(accounts.createKey({ name: 'x', role }, grace)).rejects.toMatchObject({ kind: 'forbidden' });
    }
    await expect(accounts.createKey({ name: 'x' }, clinician)).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('a key makes no keys', async () => {
    const { key } = await bench.accounts.createKey({ name: 'Robot', role: 'administrator' }, ada);
    const robot = await who(key);
    await expect(bench.accounts.createKey({ name: 'x' }, robot!)).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('a limited key does not manage people who may do more than it', async () => {
    const { accounts } = bench;
    const { key } = await accounts.createKey({ name: 'HR', role: 'administrator', scopes: ['users.manage'] }, ada);
    const robot = await who(key);
    const update = accounts.users.update(grace.id, { disabled: true }, robot!);
    await expect(update).rejects.toMatchObject({ kind: 'forbidden' });
    await expect(accounts.users.remove(ada.id, robot!)).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('a key shrinks with its creator, at once here and within five seconds elsewhere', async () => {
    const { accounts } = bench;
    const other = bench.another();
    const boss = (await bench.person('Boss', 'administrator')).actor;
    const { key } = await accounts.createKey({ name: 'Robot', role: 'administrator' }, boss);
    expect(permitted(await who(key))).toEqual(permissions);
    expect(permitted(await who(key, other))).toEqual(permissions);
    await accounts.users.update(boss.id, { role: 'clinician' }, ada);
    const clinician = permissions.filter((permission) => permissionsOf.clinician.includes(permission));
    expect(permitted(await who(key))).toEqual(clinician);
    expect((await who(key))?.role).toBe('clinician');
    bench.pass(4000);
    expect(permitted(await who(key, other))).toEqual(clinician);
  });

  it('a key of somebody disabled or removed is nobody, and works again when they are back', async () => {
    const { accounts } = bench;
    const { key } = await accounts.createKey({ name: 'Robot' }, grace);
    await accounts.users.update(grace.id, { disabled: true }, ada, 'on leave');
    expect(await who(key)).toBeUndefined();
    await accounts.users.update(grace.id, { disabled: false }, ada);
    expect(await who(key)).toBeDefined();
    await accounts.users.remove(grace.id, ada);
    expect(await who(key)).toBeUndefined();
    const [left] = await accounts.keys.list(ada);
    expect(left).toMatchObject({ name: 'Robot', revokedAt: bench.clock() });
  });

  it('keys of the local owner have no person to lose', async () => {
    const owner = await bench.accounts.authenticate({ bearer: bench.localToken, address: '127.0.0.1' });
    const { key } = await bench.accounts.createKey({ name: 'CLI', role: 'administrator' }, owner!);
    expect(permitted(await who(key))).toEqual(permissions);
    expect((await bench.accounts.keys.list(ada))[0]?.createdBy).toMatchObject({ kind: 'local', id: 'local' });
  });
});

describe('revoking', () => {
  it('works at once here, and elsewhere within five seconds', async () => {
    const { accounts } = bench;
    const other = bench.another();
    const { id, key } = await accounts.createKey({ name: 'Robot' }, grace);
    expect(await who(key)).toBeDefined();
    expect(await who(key, other)).toBeDefined();
    await accounts.keys.revoke(id, grace, 'laptop lost');
    expect(await who(key)).toBeUndefined();
    bench.pass(4000);
    expect(await who(key, other)).toBeUndefined();
    await expect(accounts.keys.revoke(id, grace)).rejects.toMatchObject({ kind: 'not-found' });
    expect((await bench.audited('key.revoked'))[0]).toMatchObject({ subjectId: id, reason: 'laptop lost' });
  });

  it('is not outrun by a question that was on its way', async () => {
    const { accounts } = bench;
    const { id, key } = await accounts.createKey({ name: 'Robot' }, grace);
    for (let n = 0; n < 20; n += 1) {
      bench.pass(5000);
      void who(key);
      if (n === 10) await accounts.keys.revoke(id, grace);
      if (n >= 10) expect(await who(key)).toBeUndefined();
    }
  });

  it('is for one’s own keys, and for administrators', async () => {
    const { accounts } = bench;
    const mine = await accounts.createKey({ name: 'Mine' }, grace);
    const hers = await accounts.createKey({ name: 'Hers' }, ada);
    expect((await accounts.keys.list(grace)).map(({ name }) => name)).toEqual(['Mine']);
    expect(await accounts.keys.list(ada)).toHaveLength(2);
    await expect(accounts.keys.revoke(hers.id, grace)).rejects.toMatchObject({ kind: 'not-found' });
    await expect(accounts.keys.revoke("' OR true", ada)).rejects.toMatchObject({ kind: 'not-found' });
    await accounts.keys.revoke(mine.id, ada);
  });
});

describe('the way of every request', () => {
  it('asks the database once in four seconds for a key or session, however many requests come', async () => {
    const { key } = await bench.accounts.createKey({ name: 'Robot' }, grace);
    const session = (await bench.person('Sam', 'clinician')).token;
    let queries = 0;
    const counting = bench.database.db.withPlugin({
      transformQuery: ({ node }) => {
        queries += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const accounts = bench.another({ db: counting });
    const all = await Promise.all(Array.from({ length: 500 }, () => who(key, accounts)));
    expect(all.every((actor) => actor?.name === 'Robot')).toBe(true);
    // One to find it, one to note its use.
    expect(queries).toBe(2);
    for (let n = 0; n < 100; n += 1) await accounts.authenticate({ sessionToken: session, address });
    expect(queries).toBe(3);
    bench.pass(4000);
    await who(key, accounts);
    expect(queries).toBe(4);
    for (let n = 0; n < 100; n += 1) await who(`iso_${'A'.repeat(43)}`, accounts);
    expect(queries).toBe(5);
    for (let n = 0; n < 100; n += 1) await who('Bearer of bad news', accounts);
    expect(queries).toBe(5);
  });

  it('refuses to look up wrong keys without end, but still finds those that are known', async () => {
    const { key } = await bench.accounts.createKey({ name: 'Robot' }, grace);
    await who(key);
    const guesses = await Promise.allSettled(Array.from({ length: 50 }, () => who(newKey().key)));
    expect(guesses.every(({ status }) => status === 'fulfilled')).toBe(true);
    const more: string[] = [];
    for (let n = 0; n < 20; n += 1)
      more.push(
        await who(newKey().key).then(
          () => 'nobody',
          (error: { kind: string }) => error.kind,
        ),
      );
    expect(more.filter((kind) => kind === 'rate-limited').length).toBeGreaterThanOrEqual(10);
    expect(await who(key)).toBeDefined();
    expect(await bench.accounts.authenticate({ bearer: key, address: '192.0.2.21' })).toBeDefined();
  });
});

describe('the local owner’s token', () => {
  it('is an administrator on this machine, and nobody from elsewhere', async () => {
    const { accounts, localToken } = bench;
    for (const near of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.8.9.10']) {
      expect(await accounts.authenticate({ bearer: localToken, address: near }), near).toMatchObject({ kind: 'local' });
    }
    for (const far of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '', 'localhost.evil.example']) {
      expect(await accounts.authenticate({ bearer: localToken, address: far }), far).toBeUndefined();
    }
    const wrong = localToken.slice(0, -1) + (localToken.endsWith('A') ? 'B' : 'A');
    expect(await accounts.authenticate({ bearer: wrong, address: '::1' })).toBeUndefined();
    const without = bench.another({ localToken: undefined as unknown as string });
    expect(await without.authenticate({ bearer: 'undefined', address: '::1' })).toBeUndefined();
  });

  it('is not helped by a cookie when it is wrong', async () => {
    const { token } = await bench.person('Sam', 'clinician');
    expect(await bench.accounts.authenticate({ bearer: 'wrong', sessionToken: token, address })).toBeUndefined();
    expect(await bench.accounts.authenticate({ sessionToken: token, address })).toBeDefined();
  });
});
