import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JobHarness, jobHarness, poll } from './job-harness.suite.js';

describe('a paused worker delivers nothing twice', () => {
  let harness: JobHarness;
  beforeEach(async () => {
    harness = await jobHarness({ deadAfterMs: 1_500 });
  });
  afterEach(() => harness.close());

  it('stopped while it worked, it wakes up, sees that its job is another’s, and erases what it wrote', async () => {
    const sleeper = await harness.workerProcess({ deadAfterMs: 1_500 });
    const { id } = await harness.create({ firstSleepMs: 5_000, sleepMs: 300, text: 'one' });
    await harness.until(id, 5_000, ({ state }) => state === 'running');
    sleeper.kill('SIGSTOP');
    const other = await harness.workerProcess({ deadAfterMs: 1_500 });
    const job = await harness.until(id);
    expect(job).toMatchObject({ state: 'succeeded', attempts: 2, worker: other.id });
    sleeper.kill('SIGCONT');
    // It is back when it beats again under its own id; by then it has given up the job that is no longer its own.
    const back = await poll(5_000, async () => {
      const workers = await harness.jobs.workers();
      return workers.find((worker) => worker.id === sleeper.id && worker.running.length === 0);
    });
    expect(back).toBeDefined();
    const next = await harness.create({ text: 'two' });
    expect(await harness.until(next.id)).toMatchObject({ state: 'succeeded', attempts: 1 });
    const settled = await poll(5_000, async () => ((await results(harness)).length === 2 ? true : undefined));
    expect(settled).toBe(true);
    const after = await harness.until(id);
    expect(after).toEqual(job);
    expect(await poll(5_000, async () => ((await harness.filesLeft()).length === 2 ? true : undefined))).toBe(true);
  });

  it('stopped between its bytes and its last word, it is answered that the job is gone', async () => {
    let stored: (id: string) => void = () => undefined;
    const wrote = new Promise<string>((resolve) => {
      stored = resolve;
    });
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await harness.worker({
      blobs: {
        ...harness.blobs,
        write: async (...args) => {
          const blob = await harness.blobs.write(...args);
          stored(blob.id);
          await held;
          return blob;
        },
      },
    });
    const { id } = await harness.create({ text: 'late' });
    const blob = await wrote;
    // What the monitor and another worker do meanwhile, in one stroke.
    await harness.db.updateTable('job').set({ claim: crypto.randomUUID() }).where('id', '=', id).execute();
    release();
    const gone = await poll(5_000, () =>
      harness.blobs.open(blob).then(
        ({ stream }) => void stream.destroy(),
        (error: { kind: string }) => error.kind,
      ),
    );
    expect(gone).toBe('not-found');
    expect((await harness.until(id, 1_000, ({ state }) => state === 'running')).files).toEqual([]);
  });
});

async function results(harness: JobHarness) {
  return harness.db
    .selectFrom('blob')
    .select('id')
    .where('purpose', '=', 'result')
    .where('state', '=', 'stored')
    .execute();
}
