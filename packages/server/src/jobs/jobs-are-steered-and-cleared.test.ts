import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import type { Job } from './job.js';
import { ADMINISTRATOR, type JobHarness, jobHarness, OTHER_SERVICE, poll, SERVICE } from './job-harness.suite.js';
import { fakeHandler } from './testing/fake-handler.mjs';

describe('jobs are steered and cleared', () => {
  let harness: JobHarness;
  afterEach(() => harness.close());

  const order = async () => (await harness.journal()).filter(({ event }) => event === 'started').map(({ id }) => id);

  it('the more urgent first, across kinds, and as a person says later', async () => {
    harness = await jobHarness();
    const made: Record<string, Job> = {};
    for (const [name, priority, kind] of [
      ['plain', 0, 'fake'],
      ['second', 0, 'other'],
      ['low', -5, 'fake'],
      ['urgent', 50, 'other'],
      ['raised', 0, 'fake'],
    ] as const)
      made[name] = await harness.create({}, { priority, kind });
    await harness.jobs.setPriority(made.raised!.id, 60, ADMINISTRATOR, 'patient waits');
    await expect(harness.jobs.setPriority(made.low!.id, 99, SERVICE, 'me first')).rejects.toMatchObject({
      kind: 'forbidden',
    });
    const journal = `${harness.folder}/journal`;
    await harness.worker({ handlers: [fakeHandler({ journal }), fakeHandler({ journal, kind: 'other' })] });
    for (const { id } of Object.values(made)) await harness.until(id);
    const names = ['raised', 'urgent', 'plain', 'second', 'low'];
    expect(await order()).toEqual(names.map((name) => made[name]!.id));
    const { byState, oldestQueuedSeconds } = await harness.jobs.statistics();
    expect(byState).toEqual({ queued: 0, running: 0, succeeded: 5, failed: 0, cancelled: 0 });
    expect(oldestQueuedSeconds).toBe(0);
  });

  it('a failed job can be retried while its input is kept, and no longer', async () => {
    const keepFailedInputsMs = 3_600_000;
    harness = await jobHarness({ keepFailedInputsMs });
    await harness.worker({ keepFailedInputsMs });
    const input = await harness.upload();
    const { id } = await harness.create({ failKind: 'bad-zip' }, { inputBlobIds: [input] });
    await harness.until(id);
    await harness.db
      .updateTable('job')
      .set({ parameters: JSON.stringify({ text: 'better' }) })
      .where('id', '=', id)
      .execute();
    expect(await harness.jobs.retry(id, SERVICE)).toMatchObject({ state: 'queued', attempts: 0 });
    expect(await harness.until(id)).toMatchObject({ state: 'succeeded', report: { text: 'better' } });
    await expect(harness.jobs.retry(id, SERVICE)).rejects.toMatchObject({ kind: 'not-ended' });

    const second = await harness.create({ failKind: 'bad-zip' });
    await harness.until(second.id);
    await harness.jobs.sweep();
    await expect(harness.jobs.retry(second.id, OTHER_SERVICE)).rejects.toMatchObject({ kind: 'not-found' });
    const past = sql<Date>`clock_timestamp() - interval '1 second'`;
    await harness.db.updateTable('job').set({ inputs_kept_until: past }).where('id', '=', second.id).execute();
    await harness.jobs.sweep();
    await expect(harness.jobs.retry(second.id, SERVICE)).rejects.toMatchObject({ kind: 'input-gone' });
    await expect(harness.blobs.open(second.inputBlobIds[0]!)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('without that setting the input of a failed job is gone, and the error says so', async () => {
    harness = await jobHarness();
    await harness.worker();
    const { id, inputBlobIds } = await harness.create({ failKind: 'bad-zip' });
    await harness.until(id);
    await expect(harness.jobs.retry(id, SERVICE)).rejects.toMatchObject({ kind: 'input-gone' });
    const gone = await poll(5_000, () =>
      harness.blobs.open(inputBlobIds[0]!).then(
        ({ stream }) => void stream.destroy(),
        (error: { kind: string }) => error.kind,
      ),
    );
    expect(gone).toBe('not-found');
    const empty = await harness.create({ failKind: 'bad-zip' }, { inputBlobIds: [] });
    await harness.until(empty.id);
    expect(await harness.jobs.retry(empty.id, SERVICE)).toMatchObject({ state: 'queued' });
    await harness.until(empty.id);
  });

  it('results go after the retention of their protocol, the row stays', async () => {
    harness = await jobHarness({ resultRetentionMs: { innereye: 0 } });
    await harness.worker();
    const kept = await harness.create({}, { protocol: 'rest' });
    const short = await harness.create({}, { protocol: 'innereye' });
    const [, ended] = [await harness.until(kept.id), await harness.until(short.id)];
    await harness.jobs.sweep();
    const after = await harness.jobs.get(short.id, SERVICE);
    expect(after).toMatchObject({ state: 'succeeded', files: [] });
    expect(after?.report).toBeUndefined();
    await expect(harness.blobs.open(ended.files[0]!.blobId)).rejects.toMatchObject({ kind: 'not-found' });
    expect((await harness.jobs.get(kept.id, SERVICE))?.files).toHaveLength(1);
  });

  it('jobs that lost their place in the line get it back', async () => {
    harness = await jobHarness();
    const { id } = await harness.create({});
    await sql`delete from pgboss.job`.execute(harness.db);
    await harness.jobs.sweep();
    await harness.worker();
    expect(await harness.until(id)).toMatchObject({ state: 'succeeded' });
  });

  it('workers are seen with what they do, and leave when they stop', async () => {
    harness = await jobHarness();
    const worker = await harness.worker({ slots: 3 });
    const { id } = await harness.create({ sleepMs: 60_000 });
    await harness.until(id, 5_000, ({ state }) => state === 'running');
    expect(await harness.jobs.workers()).toMatchObject([{ id: worker.id, pid: process.pid, slots: 3, running: [id] }]);
    await harness.jobs.cancel(id, SERVICE);
    await harness.until(id);
    await worker.drain();
    await worker.stop();
    expect(await harness.jobs.workers()).toEqual([]);
  });

  it('kinds, priorities and attempts that make no sense are refused', async () => {
    harness = await jobHarness();
    for (const wrong of [{ kind: 'Bad Kind' }, { priority: 101 }, { priority: 0.5 }, { maxAttempts: 0 }])
      await expect(harness.create({}, wrong)).rejects.toMatchObject({ kind: 'bad-request' });
    await expect(harness.jobs.get("'; drop table job", SERVICE)).resolves.toBeUndefined();
    await expect(harness.create({}, { inputBlobIds: [crypto.randomUUID()] })).rejects.toMatchObject({
      kind: 'not-found',
    });
  });
});
