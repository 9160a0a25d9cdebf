/** The sweeper finds what others left: dead writers, objects that belong to nobody, stores that were down. */
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobKey } from './blob-store.js';
import { chunksOf, keysOf } from './blob-store.suite.js';
import { elsewhere, job, keyOf, readText, TESTER, type TestBlobs, testBlobs, text, write } from './test-blobs.suite.js';

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
    expect(await keysOf(store)).toEqual([theirs, await keyOf(test, kept.id)].sort());
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
    const flaky = Object.assign(elsewhere(test.store), {
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
