/** Images go when nobody keeps them any more, with an entry in the audit log; and nothing goes that somebody keeps. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobKey } from './blob-store.js';
import { chunksOf, keysOf } from './blob-store.suite.js';
import { job, readText, TESTER, type TestBlobs, testBlobs, text, write } from './test-blobs.suite.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let test: TestBlobs;
beforeEach(async () => {
  test = await testBlobs();
});
afterEach(() => test.close());

async function rows() {
  return test.db.selectFrom('blob').selectAll().orderBy('created_at').execute();
}

describe('An upload', () => {
  it('stays while its job keeps it, and goes with an audit entry when the job lets go', async () => {
    const { blobs, db } = test;
    const upload = await write(blobs, 'upload', 'images');
    await blobs.keep(upload.id, job(), db);
    test.pass(1000 * HOUR);
    expect(await blobs.sweep()).toEqual({ erased: 0, bytes: 0, failed: 0 });
    expect(await readText(blobs, upload.id)).toBe('images');

    await blobs.release(upload.id, 'its job ended', db);
    await blobs.eraseReleased([upload.id]);
    expect(await keysOf(test.store)).toEqual([]);
    await expect(blobs.open(upload.id)).rejects.toMatchObject({ kind: 'not-found' });
    expect(await test.audited()).toEqual([
      {
        action: 'images.erased',
        id: upload.id,
        reason: 'its job ended',
        details: { purpose: 'upload', bytes: 6, sha256: upload.sha256, owners: ['job j1'] },
      },
    ]);
  });

  it('that no job took goes after an hour, or when it was said', async () => {
    const { blobs } = test;
    const usual = await write(blobs, 'upload');
    const short = await blobs.write(text('x'), { purpose: 'study', actor: TESTER, abandonAfterMs: MINUTE });
    test.pass(2 * MINUTE);
    expect(await blobs.sweep()).toMatchObject({ erased: 1, bytes: 1 });
    await expect(blobs.open(short.id)).rejects.toMatchObject({ kind: 'not-found' });
    test.pass(HOUR);
    expect(await blobs.sweep()).toMatchObject({ erased: 1 });
    await expect(blobs.open(usual.id)).rejects.toMatchObject({ kind: 'not-found' });
    expect((await test.audited()).map(({ reason }) => reason)).toEqual(['nobody kept it', 'nobody kept it']);
  });

  it('is erased by the sweeper when the one who released it died', async () => {
    const { blobs, db } = test;
    const { id } = await write(blobs, 'study');
    await blobs.keep(id, { kind: 'study', id: 's' }, db);
    await blobs.release(id, 'study expired', db);
    const next = await test.another();
    expect(await next.sweep()).toMatchObject({ erased: 1 });
    expect(await next.sweep()).toMatchObject({ erased: 0 });
    expect(await keysOf(test.store)).toEqual([]);
  });

  it('whose transaction was rolled back is not kept, and a release that was rolled back did not happen', async () => {
    const { blobs, db } = test;
    const { id } = await write(blobs, 'upload');
    const rolledBack = (work: 'keep' | 'release') =>
      db.transaction().execute(async (transaction) => {
        if (work === 'keep') await blobs.keep(id, job(), transaction);
        else await blobs.release(id, 'over', transaction);
        throw new Error('rolled back');
      });
    await expect(rolledBack('keep')).rejects.toThrow('rolled back');
    expect((await rows())[0]?.due_at).not.toBeNull();
    await blobs.keep(id, job(), db);
    await expect(rolledBack('release')).rejects.toThrow('rolled back');
    test.pass(2 * HOUR);
    expect(await blobs.sweep()).toMatchObject({ erased: 0 });
  });
});

describe('Owners', () => {
  it('are counted: the last to let go ends it', async () => {
    const { blobs, db } = test;
    const { id } = await write(blobs, 'upload');
    await blobs.keep(id, job('a'), db);
    await blobs.keep(id, job('a'), db);
    await blobs.keep(id, job('b'), db);
    await blobs.release(id, 'a ended', db, job('a'));
    await blobs.release(id, 'a ended', db, job('a'));
    await blobs.eraseReleased([id]);
    expect(await readText(blobs, id)).toBe('upload');
    await blobs.release(id, 'b ended', db);
    await blobs.eraseReleased([id]);
    await blobs.release(id, 'again', db);
    const [entry] = await test.audited();
    expect(entry).toMatchObject({ reason: 'b ended', details: { owners: ['job a', 'job b'] } });
    expect(await test.audited()).toHaveLength(1);
  });

  it('may come back before the eraser, not after', async () => {
    const { blobs, db } = test;
    const { id } = await write(blobs, 'upload');
    await blobs.keep(id, job(), db);
    await blobs.release(id, 'failed', db, job());
    await blobs.keep(id, job(), db);
    expect(await blobs.sweep()).toMatchObject({ erased: 0 });
    await blobs.release(id, 'over', db, job());
    await blobs.sweep();
    await expect(blobs.keep(id, job(), db)).rejects.toMatchObject({ kind: 'not-found' });
    await expect(blobs.keep('00000000-0000-4000-8000-000000000000', job(), db)).rejects.toMatchObject({
      kind: 'not-found',
    });
  });

  it('and an eraser never pass each other', async () => {
    const { blobs, db } = test;
    for (let round = 0; round < 30; round++) {
      const { id } = await blobs.write(text('x'), { purpose: 'upload', actor: TESTER, abandonAfterMs: -1 });
      const [kept] = await Promise.all([
        blobs.keep(id, job(), db).then(
          () => true,
          () => false,
        ),
        blobs.sweep(),
      ]);
      if (kept) expect(await readText(blobs, id)).toBe('x');
      else expect(await test.store.head(await keyOfBlob(id))).toBeUndefined();
    }
  });
});

describe('Results and weights', () => {
  it('are erased with an entry of their own', async () => {
    const { blobs, db } = test;
    for (const purpose of ['result', 'weights', 'export'] as const) {
      const { id } = await write(blobs, purpose);
      await blobs.keep(id, { kind: 'result', id: 'r' }, db);
      await blobs.release(id, 'fetched', db);
    }
    expect(await blobs.sweep()).toMatchObject({ erased: 3 });
    expect((await test.audited()).map(({ action }) => action)).toEqual(Array(3).fill('blob.erased'));
  });
});

describe('A file of a blob', () => {
  it('is the store’s own, and is not erased while somebody reads it, here or in another process', async () => {
    const { blobs, db } = test;
    const { id } = await write(blobs, 'upload', 'images');
    await blobs.keep(id, job(), db);
    const other = await test.another();
    const first = await blobs.toFile(id);
    const second = await other.toFile(id);
    await blobs.release(id, 'over', db);
    await other.eraseReleased([id]);
    expect(await other.sweep()).toMatchObject({ erased: 0, failed: 0 });
    expect(readFileSync(first.path, 'utf8')).toBe('images');
    await first.done();
    await first.done();
    expect(existsSync(second.path)).toBe(true);
    await second.done();
    expect(existsSync(second.path)).toBe(false);
    expect(await test.audited()).toHaveLength(1);
    await expect(blobs.toFile(id)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('whose reader died is free a minute later', async () => {
    const { blobs, db } = test;
    const { id } = await write(blobs, 'upload');
    await test.db
      .insertInto('blob_use')
      .values({ id: '00000000-0000-4000-8000-000000000001', blob_id: id, until: new Date(Date.now() + MINUTE) })
      .execute();
    await blobs.release(id, 'over', db);
    expect(await blobs.sweep()).toMatchObject({ erased: 0 });
    test.pass(2 * MINUTE);
    expect(await blobs.sweep()).toMatchObject({ erased: 1 });
  });

  it('that somebody changed in the store is not handed out', async () => {
    const { blobs } = test;
    const { id } = await write(blobs, 'upload', 'images');
    const path = test.store.localPath?.(await keyOfBlob(id)) ?? '';
    writeFileSync(path, 'image');
    await expect(blobs.toFile(id)).rejects.toMatchObject({ kind: 'damaged' });
    await test.store.delete(await keyOfBlob(id));
    await expect(blobs.toFile(id)).rejects.toMatchObject({ kind: 'damaged' });
    await expect(blobs.open(id)).rejects.toMatchObject({ kind: 'damaged' });
    expect(await test.db.selectFrom('blob_use').selectAll().execute()).toEqual([]);
  });

  it('from a store elsewhere is a private copy that `done` removes, checked against what was stored', async () => {
    const far = { ...pick(test.store) };
    const blobs = await test.another({ store: far });
    const { id } = await blobs.write(chunksOf(300_000), { purpose: 'upload', actor: TESTER });
    const file = await blobs.toFile(id);
    expect(file.path.startsWith(test.folder)).toBe(true);
    expect(statSync(file.path)).toMatchObject({ size: 300_000 });
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    await file.done();
    expect(existsSync(file.path)).toBe(false);

    const place = test.store.localPath?.(await keyOfBlob(id)) ?? '';
    for (const changed of [Buffer.alloc(300_000, 8), Buffer.alloc(299_999, 7), Buffer.alloc(300_001, 7)]) {
      writeFileSync(place, changed);
      await expect(blobs.toFile(id)).rejects.toMatchObject({ kind: 'damaged' });
    }
    await expect(blobs.toFile(id, AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
  });
});

describe('The sweeper', () => {
  it('erases what a dead writer left, and the writer that only slept gives up', async () => {
    const { blobs } = test;
    let wake = (): void => undefined;
    const slept = blobs.write(
      (async function* () {
        yield Buffer.from('half');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      })(),
      { purpose: 'upload', actor: TESTER },
    );
    const outcome = slept.catch((error: unknown) => error);
    await expect.poll(async () => (await rows()).length).toBe(1);
    expect(await blobs.sweep()).toMatchObject({ erased: 0 });
    test.pass(2 * MINUTE);
    expect(await (await test.another()).sweep()).toMatchObject({ erased: 1 });
    wake();
    expect(await outcome).toMatchObject({ kind: 'store-unavailable' });
    expect(await keysOf(test.store)).toEqual([]);
    expect(await test.audited()).toMatchObject([{ action: 'images.erased', reason: 'its writer died' }]);
  });

  it('keeps the lease of a writer that is slow', async () => {
    const blobs = await test.another({ leaseMs: 300, clock: undefined });
    const other = await test.another({ leaseMs: 300, clock: undefined });
    const until = Date.now() + 1000;
    let swept = 0;
    const { id } = await blobs.write(
      (async function* () {
        while (Date.now() < until) {
          yield Buffer.from('.');
          swept += (await other.sweep()).erased;
        }
      })(),
      { purpose: 'upload', actor: TESTER },
    );
    expect(swept).toBe(0);
    expect(await readText(blobs, id)).toMatch(/^\.+$/);
  });

  it('finds objects without a row when they are an hour old, ours only, and objects of erased rows', async () => {
    const { blobs, db, store } = test;
    const kept = await write(blobs, 'upload');
    await blobs.keep(kept.id, job(), db);
    const gone = await write(blobs, 'result');
    await blobs.release(gone.id, 'over', db);
    await blobs.sweep();
    const { id: installation } = await db.selectFrom('blob_installation').select('id').executeTakeFirstOrThrow();
    const orphan = blobKey(`${installation}/aa/orphan`);
    const back = blobKey(`${installation}/${gone.id.slice(0, 2)}/${gone.id}`);
    const theirs = blobKey('00000000-0000-4000-8000-000000000000/aa/theirs');
    for (const key of [orphan, back, theirs]) await store.put(key, chunksOf(10));
    test.pass(HOUR - MINUTE);
    expect(await blobs.sweep()).toMatchObject({ erased: 0 });
    test.pass(HOUR + MINUTE);
    expect(await blobs.sweep()).toMatchObject({ erased: 2, failed: 0 });
    expect(await keysOf(store)).toEqual([theirs, await keyOfBlob(kept.id)].sort());
    expect((await test.audited()).map(({ reason }) => reason).sort()).toEqual([
      'came back after it was erased',
      'no row belonged to it',
      'over',
    ]);
  });

  it('lets the row of an erased blob go after a week', async () => {
    const { blobs, db } = test;
    const { id } = await write(blobs, 'upload');
    await blobs.release(id, 'over', db);
    await blobs.sweep();
    expect(await rows()).toMatchObject([{ id, state: 'erased', release_reason: 'over' }]);
    test.pass(8 * 24 * HOUR);
    await blobs.sweep();
    expect(await rows()).toEqual([]);
  });

  it('of many servers at once erases each blob once', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => test.another()));
    for (let i = 0; i < 60; i++) {
      await test.blobs.write(text('x'), { purpose: 'upload', actor: TESTER, abandonAfterMs: -1 });
    }
    const sums = await Promise.all(servers.map((server) => server.sweep()));
    expect(sums.reduce((sum, { erased }) => sum + erased, 0)).toBe(60);
    const ids = (await test.audited()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(60);
    expect(ids).toHaveLength(60);
    expect(await keysOf(test.store)).toEqual([]);
  });

  it('does so much and no more in one call', async () => {
    await sql`insert into blob (id, key, purpose, state, created_at, created_by_kind, created_by, due_at)
      select gen_random_uuid(), 'x/' || n, 'upload', 'erasing', now(), 'system', 'system', now() - interval '1 hour'
      from generate_series(1, 600) n`.execute(test.db);
    expect(await test.blobs.sweep()).toMatchObject({ erased: 500 });
    expect(await test.blobs.sweep()).toMatchObject({ erased: 100 });
  });

  it('asks a store that is down a few times, later again, and loses nothing', async () => {
    let down = true;
    const flaky = Object.assign(pick(test.store), {
      delete: async (key: Parameters<typeof test.store.delete>[0]) => {
        if (down) throw new Error('down');
        await test.store.delete(key);
      },
    });
    const blobs = await test.another({ store: flaky });
    for (let i = 0; i < 40; i++) {
      await blobs.write(text('x'), { purpose: 'upload', actor: TESTER, abandonAfterMs: -1 });
    }
    const sum = await blobs.sweep();
    expect(sum.erased).toBe(0);
    expect(sum.failed).toBeLessThanOrEqual(16);
    down = false;
    test.pass(10 * MINUTE);
    expect(await blobs.sweep()).toMatchObject({ erased: 40, failed: 0 });
    expect(await keysOf(test.store)).toEqual([]);
  });
});

async function keyOfBlob(id: string) {
  const { key } = await test.db.selectFrom('blob').select('key').where('id', '=', id).executeTakeFirstOrThrow();
  return blobKey(key);
}

/** The same store without what only files have: like one that is elsewhere. */
function pick(store: TestBlobs['store']): TestBlobs['store'] {
  return {
    kind: 's3',
    put: (...put) => store.put(...put),
    get: (...get) => store.get(...get),
    head: (key) => store.head(key),
    list: (prefix) => store.list(prefix),
    delete: (key) => store.delete(key),
  };
}
