/** Images go when nobody keeps them any more, with an entry in the audit log; and nothing goes that somebody keeps. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
      else expect(await test.store.head(await keyOf(test, id))).toBeUndefined();
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
    const path = test.store.localPath?.(await keyOf(test, id)) ?? '';
    writeFileSync(path, 'image');
    await expect(blobs.toFile(id)).rejects.toMatchObject({ kind: 'damaged' });
    await test.store.delete(await keyOf(test, id));
    await expect(blobs.toFile(id)).rejects.toMatchObject({ kind: 'damaged' });
    await expect(blobs.open(id)).rejects.toMatchObject({ kind: 'damaged' });
    expect(await test.db.selectFrom('blob_use').selectAll().execute()).toEqual([]);
  });

  it('from a store elsewhere is a private copy that `done` removes, checked against what was stored', async () => {
    const far = { ...elsewhere(test.store) };
    const blobs = await test.another({ store: far });
    const { id } = await blobs.write(chunksOf(300_000), { purpose: 'upload', actor: TESTER });
    const file = await blobs.toFile(id);
    expect(file.path.startsWith(test.folder)).toBe(true);
    expect(statSync(file.path)).toMatchObject({ size: 300_000 });
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    await file.done();
    expect(existsSync(file.path)).toBe(false);

    const place = test.store.localPath?.(await keyOf(test, id)) ?? '';
    for (const changed of [Buffer.alloc(300_000, 8), Buffer.alloc(299_999, 7), Buffer.alloc(300_001, 7)]) {
      writeFileSync(place, changed);
      await expect(blobs.toFile(id)).rejects.toMatchObject({ kind: 'damaged' });
    }
    await expect(blobs.toFile(id, AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
