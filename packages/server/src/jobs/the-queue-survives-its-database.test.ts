import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DurableDatabase, durableDatabase } from './durable-database.suite.js';
import type { Job } from './job.js';
import { ADMINISTRATOR, type JobHarness, jobHarness, poll } from './job-harness.suite.js';

/** So long that a machine full of other tests does not look like a dead worker. */
const PATIENT_MS = 20_000;

describe('the queue survives its database', () => {
  let database: DurableDatabase;
  let harness: JobHarness;
  beforeAll(async () => {
    database = await durableDatabase();
    harness = await jobHarness({ url: database.url, deadAfterMs: PATIENT_MS });
  });
  afterAll(async () => {
    await harness?.close();
    await database?.close();
  });

  const crash = async () => {
    const { pid } = database.postgres;
    process.kill(pid, 'SIGKILL');
    const up = await poll(20_000, async () => (database.postgres.pid === pid ? undefined : true));
    expect(up).toBe(true);
  };

  it('running jobs go on through kill -9 of PostgreSQL, and end once', async () => {
    await harness.workerProcess({ slots: 2, deadAfterMs: PATIENT_MS });
    await harness.worker({ slots: 2, deadAfterMs: PATIENT_MS });
    const ids: string[] = [];
    for (let n = 0; n < 8; n++) ids.push((await harness.create({ sleepMs: 500 + 200 * n, text: `${n}` })).id);
    await harness.until(ids[3]!, 5_000, ({ state }) => state === 'running');
    const seen: Job[] = [];
    const hasSeen = () => poll(5_000, async () => seen[0]);
    const watching = (async () => {
      for await (const job of harness.jobs.watch(ids[7]!, ADMINISTRATOR, AbortSignal.timeout(60_000))) seen.push(job);
    })();
    expect(await hasSeen()).toBeDefined();
    await crash();
    await crash();
    for (const id of ids) expect(await harness.until(id, 40_000)).toMatchObject({ state: 'succeeded', attempts: 1 });
    await watching;
    expect(seen.at(-1)).toMatchObject({ state: 'succeeded' });
    const starts = (await harness.journal()).filter(({ event }) => event === 'started');
    expect(starts).toHaveLength(ids.length);
  });

  it('afterwards notices arrive again: a job starts without waiting for the net', async () => {
    const { id } = await harness.create({});
    await harness.until(id);
    const worker = await harness.worker({ pollMs: 3_600_000 });
    await crash();
    const job = await poll(20_000, () => harness.create({ text: 'woken' }));
    expect(await harness.until(job!.id)).toMatchObject({ state: 'succeeded' });
    await worker.stop();
  });
});
