import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from './job.js';
import { ADMINISTRATOR, type JobHarness, jobHarness, poll } from './job-harness.suite.js';
import { estimateSteps } from './learnt-durations.js';
import { ProgressMeter } from './progress-meter.js';

const STEPS = [
  { step: 'load', share: 0.1 },
  { step: 'model', share: 0.8 },
  { step: 'write', share: 0.1 },
];

describe('the meter', () => {
  it('never falls, whatever the handler says', () => {
    const meter = new ProgressMeter(STEPS, 0);
    let before = 0;
    let now = 0;
    const random = numbers(7);
    for (let n = 0; n < 500; n++) {
      now += random() * 1000;
      if (n === 250) meter.learn(new Map([['model', 3]]));
      const step = ['load', 'model', 'write', 'something else'][Math.floor(random() * 4)]!;
      meter.advance(step, Math.floor(random() * 12) - 1, Math.floor(random() * 10), now);
      const { fraction } = meter.progress(now);
      expect(fraction).toBeGreaterThanOrEqual(before);
      expect(fraction).toBeLessThan(1);
      before = fraction;
    }
  });

  it('goes by the handler’s shares and says no time before anything was learnt', () => {
    const meter = new ProgressMeter(STEPS, 0);
    expect(meter.progress(5_000)).toEqual({ step: 'load', fraction: 0 });
    meter.advance('model', 5, 10, 6_000);
    expect(meter.progress(9_000).fraction).toBeCloseTo(0.5);
    expect(meter.progress(9_000).secondsLeft).toBeUndefined();
  });

  it('goes by what was learnt: shares, time in steps without figures, seconds left', () => {
    const meter = new ProgressMeter(STEPS, 0);
    meter.learn(
      new Map([
        ['load', 10],
        ['model', 20],
        ['write', 10],
      ]),
    );
    expect(meter.progress(5_000)).toEqual({ step: 'load', fraction: 0.125, secondsLeft: 35 });
    // Longer than expected: it waits, and does not promise less than nothing.
    expect(meter.progress(60_000)).toMatchObject({ fraction: 0.25 * 0.95, secondsLeft: 30 });
    meter.advance('model', 0, 4, 60_000);
    meter.advance('model', 2, 4, 64_000);
    // Half of the model took 4 s, not 10 as expected: its own speed counts.
    expect(meter.progress(64_000)).toEqual({ step: 'model', fraction: 0.5, secondsLeft: 14 });
    expect(meter.finish(70_000)).toEqual({ load: 60, model: 10 });
  });

  it('learns the median, scaled by the size of the input where time follows it', () => {
    const runs = [1, 2, 3, 4, 5].map((n) => ({
      stepSeconds: { load: n * 2, start: 7 + (n % 2), model: n === 3 ? 600 : n * 10 },
      inputBytes: n * 1000,
    }));
    const estimates = estimateSteps(runs, 10_000)!;
    expect(estimates.get('load')).toBeCloseTo(20);
    expect(estimates.get('start')).toBe(8);
    // One run that hung for ten minutes spoils the correlation, but not the median.
    expect(estimates.get('model')).toBe(40);
    expect(estimateSteps([], 1)).toBeUndefined();
  });
});

describe('the progress of a job', () => {
  let harness: JobHarness;
  beforeAll(async () => {
    harness = await jobHarness();
    await harness.worker();
  });
  afterAll(() => harness.close());

  const watch = async (id: string): Promise<Job[]> => {
    const seen: Job[] = [];
    for await (const job of harness.jobs.watch(id, ADMINISTRATOR, AbortSignal.timeout(30_000))) seen.push(job);
    return seen;
  };

  it('is seen rising by a thousand watchers over one connection, and its end by each of them', async () => {
    const { id } = await harness.create({ sleepMs: 1_000 });
    const all = await Promise.all(Array.from({ length: 1_000 }, () => watch(id)));
    for (const seen of all) {
      expect(seen.at(-1)).toMatchObject({ state: 'succeeded', progress: { fraction: 1 } });
      const fractions = seen.map(({ progress }) => progress.fraction);
      expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
      expect(seen.length).toBeGreaterThan(3);
      // At most five a second, and its start and end.
      expect(seen.length).toBeLessThan(12);
    }
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name = 'isocenter-notices'`.execute(harness.db);
    // One of the server and one of the worker.
    expect(rows[0]!.count).toBe(2);
  });

  it('says the time left once the model is known', async () => {
    const { id: first } = await harness.create({ sleepMs: 500 }, { model: 'timed:1' });
    const before = await watch(first);
    expect(before.every(({ progress }) => progress.secondsLeft === undefined)).toBe(true);
    const { id: second } = await harness.create({ sleepMs: 500 }, { model: 'timed:1' });
    const after = (await watch(second)).filter(({ state }) => state === 'running');
    const known = after.flatMap(({ progress }) => progress.secondsLeft ?? []);
    expect(known.length).toBeGreaterThan(0);
    for (const seconds of known) expect(seconds).toBeLessThan(2);
  });

  it('ends a watch whose signal aborts, and refuses one of a job that is not there', async () => {
    const { id } = await harness.create({ sleepMs: 60_000 });
    const controller = new AbortController();
    const seen: Job[] = [];
    for await (const job of harness.jobs.watch(id, ADMINISTRATOR, controller.signal)) {
      seen.push(job);
      controller.abort();
    }
    expect(seen).toHaveLength(1);
    await harness.jobs.cancel(id, ADMINISTRATOR);
    await expect(watch(crypto.randomUUID())).rejects.toMatchObject({ kind: 'not-found' });
    expect(await poll(1_000, async () => (await harness.until(id)).state)).toBe('cancelled');
  });
});

/** The same numbers in each run: a linear congruential generator. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
