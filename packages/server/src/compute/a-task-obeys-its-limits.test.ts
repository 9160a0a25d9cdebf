/** Cancel, time, memory, a crash: typed errors at once, one task alone is hit, and nothing is left behind. */
import { performance } from 'node:perf_hooks';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { createComputePool } from './create-compute-pool.js';
import { failureOf, isGone, left, networks, workshop } from './pool.suite.js';

const MB = 2 ** 20;
const shop = workshop();
const pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 2, threads: 1 });
afterAll(async () => {
  await pool.close();
  expect(left(shop.workFolder)).toEqual([]);
  shop.remove();
});

/** Folders of tasks: the pool's own folder may stay while it lives. */
const taskFolders = () => left(shop.workFolder).filter((name) => name.includes('task-'));

describeWithData('models-meshnet', 'a task in mid-network', (data) => {
  const { large, head } = networks(shop, data);
  const model = large();

  /** Runs the large network on a whole head, and does something as soon as it computes. */
  async function interrupted(during: (pid: number) => void, signal?: AbortSignal) {
    const task = shop.task(model, await head());
    const run = pool.run(task, {}, signal ? { signal } : {});
    const failure = failureOf(run);
    // The network holds much more than the image does once it is at work.
    const busy = () => pool.models().find(({ sha256, state }) => sha256 === model.sha256 && state === 'busy');
    await expect.poll(() => busy()?.residentBytes ?? 0, { timeout: 60_000, interval: 50 }).toBeGreaterThan(500 * MB);
    const pid = busy()?.pid ?? 0;
    const at = performance.now();
    during(pid);
    const error = await failure;
    return { error, pid, task, milliseconds: performance.now() - at };
  }

  it('is cancelled within a second, its child is gone, and the next one runs', async () => {
    const controller = new AbortController();
    const { error, pid, task, milliseconds } = await interrupted(() => controller.abort(), controller.signal);
    console.log(`cancel in mid-network: ${milliseconds.toFixed(0)} ms`);
    expect(error).toMatchObject({ name: 'ComputeError', kind: 'cancelled' });
    expect(milliseconds).toBeLessThan(1000);
    await expect.poll(() => isGone(pid), { timeout: 10_000, interval: 20 }).toBe(true);
    expect(left(task.outputFolder)).toEqual([]);
    expect(taskFolders()).toEqual([]);
    expect(pool.statistics().kills.cancelled).toBe(1);
  });

  it('whose child is killed by somebody else fails alone', async () => {
    const other = pool.run(shop.task(shop.shipped('ct-basic'), await shop.thorax([128, 112, 40]), ['rtstruct', 'png']));
    const { error, task } = await interrupted((pid) => process.kill(pid, 'SIGKILL'));
    expect(error).toMatchObject({ name: 'ComputeError', kind: 'child-crashed' });
    expect(error.message).toContain('SIGKILL');
    expect((await other).files).toContain('segmentation.rtstruct.dcm');
    expect(left(task.outputFolder)).toEqual([]);
    expect(taskFolders()).toEqual([]);
    expect(pool.statistics().crashes).toBe(1);
  });

  it('that takes more memory than its limit is killed, with both figures', async () => {
    // The bare forecast cannot know what the network takes inside, so it lets this one start.
    const error = await failureOf(pool.run(shop.task(model, await head()), { memoryBytes: 700 * MB }));
    expect(error).toMatchObject({ kind: process.platform === 'linux' ? 'memory-limit' : 'never' });
    expect(error.message).toMatch(/took \d+ MB, its limit is 700 MB/);
  });

  it('that takes longer than its limit is killed', async () => {
    const started = performance.now();
    const error = await failureOf(pool.run(shop.task(model, await head()), { timeMs: 2500 }));
    expect(error).toMatchObject({ kind: 'time-limit' });
    expect(error.message).toContain('2500 ms');
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('that would pass the budget of all together is killed although it has no limit of its own', async () => {
    const tight = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, memoryBudgetBytes: 700 * MB });
    const error = await failureOf(tight.run(shop.task(model, await head())));
    await tight.close();
    expect(error).toMatchObject({ kind: 'memory-limit' });
  });
});

describe('a task', () => {
  it('that was cancelled before it began does not begin', async () => {
    const started = pool.statistics().childrenStarted;
    const task = shop.task(shop.shipped('ct-basic'), await shop.thorax([64, 56, 20]));
    const error = await failureOf(pool.run(task, {}, { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ kind: 'cancelled' });
    expect(pool.statistics().childrenStarted).toBe(started);
  });

  it('that cannot fit is refused before it begins, with figures and what would help', async () => {
    const task = shop.task(shop.shipped('ct-basic'), await shop.thorax([128, 112, 40]));
    const error = await failureOf(pool.run(task, { memoryBytes: 100 * MB }));
    expect(error).toMatchObject({ name: 'ForecastRefusal', kind: 'memory-forecast' });
    expect(error.message).toMatch(
      /2 MB of images with ct-basic:test need .*\d+ MB.*the limit of a run is 100 MB: refused/,
    );
    expect((error as Error & { next: string }).next).toMatch(/Raise the memory limit.*smaller study/);
    expect((error as Error & { forecast: object }).forecast).toMatchObject({ fits: false, availableBytes: 100 * MB });
    expect(pool.statistics().refusals['memory-forecast']).toBe(1);
  });

  it('that fits is forecast with a sentence, and better once one was run', async () => {
    const task = shop.task(shop.shipped('ct-basic'), await shop.thorax([128, 112, 40]));
    const before = await pool.forecast(task);
    const { peakMemoryBytes } = await pool.run(task);
    const after = await pool.forecast(task);
    expect([before.fits, after.fits]).toEqual([true, true]);
    expect(after.why).toContain('as earlier runs show');
    expect(after.neededBytes).toBeGreaterThan(peakMemoryBytes);
    expect(after.neededBytes).toBeLessThan(peakMemoryBytes * 1.5);
  });

  it('whose child runs into a bundle that is broken says so, and the next task works', async () => {
    const broken = { ...shop.shipped('ct-basic'), folder: shop.path, sha256: 'f'.repeat(64) };
    const error = await failureOf(pool.run(shop.task(broken, await shop.thorax([64, 56, 20]))));
    expect(error).toMatchObject({ name: 'BundleError', kind: 'missing-file' });
    await pool.run(shop.task(shop.shipped('ct-basic'), await shop.thorax([64, 56, 20])));
  });
});
