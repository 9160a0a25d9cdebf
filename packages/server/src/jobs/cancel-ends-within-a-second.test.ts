import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMINISTRATOR, type JobHarness, jobHarness, OTHER_SERVICE, SERVICE } from './job-harness.suite.js';

/** Alone it takes 40 ms, which is printed; a machine full of other tests is not to decide. */
const BUSY_MACHINE_MS = 5_000;

describe('cancel ends within a second', () => {
  let harness: JobHarness;
  beforeEach(async () => {
    harness = await jobHarness({ deadAfterMs: 2_000 });
  });
  afterEach(() => harness.close());

  const running = async (parameters: Record<string, unknown>) => {
    const { id } = await harness.create(parameters);
    await harness.until(id, 5_000, ({ state }) => state === 'running');
    return id;
  };

  it('at once when the job waits, and no worker ever gets it', async () => {
    const { id } = await harness.create();
    expect(await harness.jobs.cancel(id, SERVICE, 'wrong study')).toMatchObject({ state: 'cancelled' });
    const { id: next } = await harness.create();
    await harness.worker();
    await harness.until(next);
    expect((await harness.journal()).map((line) => line.id)).not.toContain(id);
    await expect(harness.jobs.cancel(id, SERVICE)).rejects.toMatchObject({ kind: 'ended' });
  });

  it('when it runs in another process', async () => {
    await harness.workerProcess();
    const id = await running({ sleepMs: 60_000 });
    const asked = performance.now();
    await harness.jobs.cancel(id, SERVICE);
    const job = await harness.until(id);
    const took = performance.now() - asked;
    console.log(`cancelled ${took.toFixed(0)} ms after it was asked`);
    expect(job).toMatchObject({ state: 'cancelled', cancelRequested: true, files: [] });
    expect(took).toBeLessThan(BUSY_MACHINE_MS);
  });

  it('when its handler does not listen', async () => {
    await harness.workerProcess();
    const id = await running({ sleepMs: 20_000, deaf: true });
    const asked = performance.now();
    await harness.jobs.cancel(id, SERVICE);
    expect(await harness.until(id)).toMatchObject({ state: 'cancelled' });
    expect(performance.now() - asked).toBeLessThan(BUSY_MACHINE_MS);
  });

  it('a little later, by the monitor, when the whole worker hangs', async () => {
    const worker = await harness.workerProcess();
    const id = await running({ sleepMs: 60_000 });
    worker.kill('SIGSTOP');
    await harness.jobs.cancel(id, SERVICE);
    expect(await harness.until(id, 8_000)).toMatchObject({ state: 'cancelled' });
  });

  it('only for those who may', async () => {
    const { id } = await harness.create();
    await expect(harness.jobs.cancel(id, OTHER_SERVICE)).rejects.toMatchObject({ kind: 'not-found' });
    const clinician = { kind: 'person', id: 'c-1', name: 'Carl', role: 'clinician' } as const;
    await expect(harness.jobs.cancel(id, clinician)).rejects.toMatchObject({ kind: 'forbidden' });
    expect(await harness.jobs.cancel(id, ADMINISTRATOR)).toMatchObject({ state: 'cancelled' });
  });

  it('and a worker that stops gives its jobs back without counting the attempt', async () => {
    const worker = await harness.workerProcess({ graceMs: 50 });
    const id = await running({ sleepMs: 60_000 });
    worker.kill('SIGTERM');
    await worker.ended;
    expect(await harness.until(id, 1_000, ({ state }) => state === 'queued')).toMatchObject({ attempts: 0 });
    await harness.workerProcess();
    expect(await harness.until(id, 5_000, ({ state }) => state === 'running')).toMatchObject({ attempts: 1 });
    await harness.jobs.cancel(id, SERVICE);
    await harness.until(id);
  });
});
