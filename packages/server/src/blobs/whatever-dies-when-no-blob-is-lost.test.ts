/** The life of some blobs with a fault at every call in turn: afterwards nothing kept is missing and nothing else remains. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool } from '../state/connect.js';
import { keysOf } from './blob-store.suite.js';
import type { Blobs } from './blobs.js';
import { type Fault, FaultError, FaultyCalls } from './faults.suite.js';
import { job, readText, TESTER, type TestBlobs, tableAudit, testBlobs, text, write } from './test-blobs.suite.js';

const HOUR = 3600_000;

let test: TestBlobs;
let pool: ReturnType<typeof createPool>;
/** Another server, which is well. */
let healthy: Blobs;
beforeAll(async () => {
  test = await testBlobs();
  pool = createPool(test.url);
  healthy = await test.another();
});
afterAll(async () => {
  await pool.end();
  await test.close();
});

/** What the caller was told; the promises are about this. */
interface Told {
  readonly written: Map<string, string>;
  readonly kept: Set<string>;
  readonly released: Set<string>;
}

/** A job that reads its upload, stores a result and ends; an upload that nobody takes; weights that stay. */
async function live(blobs: Blobs, db: TestBlobs['db'], told: Told): Promise<void> {
  const weights = await write(blobs, 'weights', 'some weights');
  told.written.set(weights.id, 'some weights');
  await db.transaction().execute((transaction) => blobs.keep(weights.id, { kind: 'model', id: 'm' }, transaction));
  told.kept.add(weights.id);

  const upload = await write(blobs, 'upload', 'images');
  told.written.set(upload.id, 'images');
  await db.transaction().execute((transaction) => blobs.keep(upload.id, job(), transaction));
  told.kept.add(upload.id);

  const file = await blobs.toFile(upload.id);
  const result = await blobs.write(text('a result'), { purpose: 'result', actor: TESTER });
  told.written.set(result.id, 'a result');
  told.kept.delete(upload.id); // From here either may be true, until we are told.
  await db.transaction().execute(async (transaction) => {
    await blobs.keep(result.id, { kind: 'result', id: 'r' }, transaction);
    await blobs.release(upload.id, 'its job ended', transaction, job());
  });
  told.kept.add(result.id);
  told.released.add(upload.id);
  await file.done();
  await blobs.eraseReleased([upload.id]);

  const alone = await write(blobs, 'study', 'nobody wants it');
  told.written.set(alone.id, 'nobody wants it');
  test.pass(2 * HOUR);
  await blobs.sweep();
}

/** Sweeps until nothing is due: PostgreSQL takes a moment to let go of the locks of a connection that was cut. */
async function settle(): Promise<void> {
  const due = test.db.selectFrom('blob').select('id').where('due_at', 'is not', null).where('state', '<>', 'erased');
  const sweepAgain = async () => {
    test.pass(2 * HOUR);
    await healthy.sweep();
    return due.execute();
  };
  await expect.poll(sweepAgain, { timeout: 10_000, interval: 5 }).toEqual([]);
}

async function check(told: Told): Promise<void> {
  const { rows } = await sql<{ id: string; key: string }>`select id, key from blob b
    where state = 'stored' and exists (select from blob_owner o where o.blob_id = b.id and o.released_at is null)`.execute(
    test.db,
  );
  const alive = new Set(rows.map(({ id }) => id));
  for (const id of told.kept) expect(alive).toContain(id);
  for (const id of told.released) expect(alive).not.toContain(id);
  for (const id of alive) expect(await readText(healthy, id)).toBe(told.written.get(id));
  expect(await keysOf(test.store)).toEqual(rows.map(({ key }) => key).sort());
  const audited = (await test.audited()).map(({ id }) => id);
  for (const id of told.written.keys())
    expect(audited.filter((found) => found === id)).toHaveLength(alive.has(id) ? 0 : 1);
  const states = await test.db.selectFrom('blob').select('state').distinct().execute();
  for (const { state } of states) expect(['stored', 'erased']).toContain(state);
}

async function run(fault: Fault): Promise<boolean> {
  await sql`delete from blob`.execute(test.db);
  await sql`delete from test_audit`.execute(test.db);
  for await (const { key } of test.store.list('')) await test.store.delete(key);
  const told: Told = { written: new Map(), kept: new Set(), released: new Set() };
  const calls = new FaultyCalls(fault);
  const db = calls.database(pool);
  try {
    const blobs = await test.another({ db, store: calls.store(test.store), audit: tableAudit(db) });
    await live(blobs, db, told);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
  }
  await settle();
  await check(told);
  return calls.happened;
}

/** Dead for good before a call is dead for good after the one before it: those need no run of their own. */
const FAULTS: readonly Omit<Fault, 'at'>[] = [
  { when: 'before', lasts: 'once' },
  { when: 'after', lasts: 'once' },
  { when: 'after', lasts: 'for good' },
];

describe('A fault at each call in turn loses nothing that is kept and leaves nothing else', () => {
  it.each(FAULTS)('$when the call, $lasts', async (fault) => {
    let at = 1;
    while (await run({ ...fault, at })) at++;
    // The life above makes some sixty calls: fewer would mean that the faults did not reach them.
    expect(at).toBeGreaterThan(50);
  });
});
