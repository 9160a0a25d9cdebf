import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMINISTRATOR, type JobHarness, jobHarness, poll } from './job-harness.suite.js';

describe('jobs survive a killed worker', () => {
  let harness: JobHarness;
  beforeEach(async () => {
    harness = await jobHarness();
  });
  afterEach(() => harness.close());

  it('run again within ten seconds of kill -9, with the attempt counted', async () => {
    const doomed = await harness.workerProcess();
    const { id } = await harness.create({ firstSleepMs: 60_000, sleepMs: 500 });
    await harness.until(id, 5_000, ({ state }) => state === 'running');
    await harness.workerProcess();
    const killedAt = Date.now();
    doomed.kill('SIGKILL');
    expect(await harness.until(id)).toMatchObject({ state: 'succeeded', attempts: 2, report: { attempt: 2 } });
    const again = (await harness.journal()).find(({ attempt, event }) => attempt === 2 && event === 'started');
    console.log(`run again ${again!.at - killedAt} ms after kill -9`);
    expect(again!.at - killedAt).toBeLessThan(10_000);
    expect((await harness.jobs.workers()).map((worker) => worker.id)).not.toContain(doomed.id);
    // The dead one's folder goes when a worker starts on its machine; nothing else of the patient is left.
    await harness.workerProcess();
    expect(await erased(harness)).toBe(true);
    expect(await poll(5_000, async () => ((await harness.filesLeft()).length === 1 ? true : undefined))).toBe(true);
  });

  it('keep their place before those that came later', async () => {
    const doomed = await harness.workerProcess();
    const first = await harness.create({ firstSleepMs: 60_000 });
    await harness.until(first.id, 5_000, ({ state }) => state === 'running');
    const later = [await harness.create(), await harness.create(), await harness.create()];
    doomed.kill('SIGKILL');
    await harness.until(first.id, 20_000, ({ state }) => state === 'queued');
    await harness.workerProcess();
    for (const { id } of later) await harness.until(id);
    const order = (await harness.journal()).filter(({ event }) => event === 'started').map(({ id }) => id);
    expect(order).toEqual([first.id, first.id, ...later.map(({ id }) => id)]);
  });

  it('fail visibly when each attempt kills its worker', async () => {
    const { id } = await harness.create({ dieWhenPast: 9 }, { maxAttempts: 2 });
    const first = await harness.workerProcess({ deadAfterMs: 1_500 });
    await first.ended;
    const second = await harness.workerProcess({ deadAfterMs: 1_500 });
    await second.ended;
    expect(await harness.until(id)).toMatchObject({
      state: 'failed',
      attempts: 2,
      failure: { kind: 'worker-died', message: 'The worker died 2 times while it had this job' },
      files: [],
    });
    const page = await harness.jobs.list({ states: ['failed'] }, { limit: 10 }, ADMINISTRATOR);
    expect(page.jobs.map((job) => job.id)).toEqual([id]);
  });

  it('are neither lost nor delivered twice when workers are killed at random moments', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 40; n++) {
      const { id } = await harness.create({ sleepMs: 20 + (n % 7) * 15, writeMs: n % 3 }, { maxAttempts: 20 });
      ids.push(id);
    }
    const options = { deadAfterMs: 1_500, slots: 2 };
    for (let round = 0; round < 4; round++) {
      const worker = await harness.workerProcess(options);
      const done = await doneOf(harness, ids);
      await poll(4_000, async () => ((await doneOf(harness, ids)) >= done + 3 + round ? true : undefined));
      worker.kill('SIGKILL');
      await worker.ended;
    }
    await harness.workerProcess(options);
    for (const id of ids) {
      const job = await harness.until(id, 30_000);
      expect(job).toMatchObject({ state: 'succeeded' });
      expect(job.files).toHaveLength(1);
    }
    const kept = await harness.db
      .selectFrom('blob_owner')
      .select('owner_id')
      .where('kind', '=', 'result')
      .where('released_at', 'is', null)
      .execute();
    expect(kept).toHaveLength(ids.length);
    expect(await erased(harness)).toBe(true);
    // Results that a killed worker had written but not delivered are nobody's, and go by their time; none is kept twice.
    const stray = await harness.db
      .selectFrom('blob')
      .select('id')
      .where('purpose', '=', 'result')
      .where('due_at', 'is', null)
      .where('state', '=', 'stored')
      .execute();
    expect(stray).toHaveLength(ids.length);
  });
});

async function doneOf(harness: JobHarness, ids: readonly string[]): Promise<number> {
  const rows = await harness.db
    .selectFrom('job')
    .select('id')
    .where('id', 'in', ids)
    .where('state', '=', 'succeeded')
    .execute();
  return rows.length;
}

/** Soon no image is stored: the erasing follows the end of its job, or the sweeper does it. */
async function erased(harness: JobHarness): Promise<boolean> {
  const done = await poll(10_000, async () => {
    await harness.blobs.sweep();
    return (await harness.storedUploads()).length === 0 ? true : undefined;
  });
  return done === true;
}
