/** More work than children or memory: it waits in order, may give up, and is told when to come again. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ComputePool, SegmentTask } from './compute-pool.js';
import { BusyError } from './compute-refusals.js';
import { createComputePool } from './create-compute-pool.js';
import { failureOf, left, type Workshop, workshop } from './pool.suite.js';

const MB = 2 ** 20;
let shop: Workshop;
let input: string;
let pool: ComputePool;
const task = (model = 'ct-basic'): SegmentTask => shop.task(shop.shipped(model), input);

beforeEach(async () => {
  shop = workshop();
  input = await shop.thorax([128, 112, 40]);
});
afterEach(async () => {
  await pool.close();
  expect(left(shop.workFolder)).toEqual([]);
  shop.remove();
});

function make(options: Parameters<typeof createComputePool>[0]): void {
  pool = createComputePool({ workFolder: shop.workFolder, threads: 1, ...options });
}

describe('two tasks', () => {
  it('run one after the other when the memory allows only one, and at once when it allows both', async () => {
    for (const [budget, together] of [
      [240 * MB, 1],
      [900 * MB, 2],
    ]) {
      make({ maximumChildren: 2, memoryBudgetBytes: budget });
      let most = 0;
      const watch = { progress: () => (most = Math.max(most, pool.statistics().busy)) };
      const answers = await Promise.all([pool.run(task(), {}, watch), pool.run(task(), {}, watch)]);
      expect(answers.every(({ files }) => files.length > 0)).toBe(true);
      expect(most).toBe(together);
      await pool.close();
    }
  });

  it('of one model share its child, one after the other, when there may be only one', async () => {
    make({ maximumChildren: 1 });
    const [first, second] = await Promise.all([pool.run(task()), pool.run(task())]);
    expect([first.warm, second.warm]).toEqual([false, true]);
    expect(pool.statistics()).toMatchObject({ childrenStarted: 1, runs: 2, warmHits: 1, waiting: 0, idle: 1 });
  });
});

describe('models that take turns', () => {
  it('all stay loaded, although only one computes at a time', async () => {
    make({ maximumChildren: 3, atOnce: 1 });
    const names = ['ct-basic', 'PassThroughModel', 'Phantom'];
    let most = 0;
    const watch = { progress: () => (most = Math.max(most, pool.statistics().busy)) };
    for (const warm of [false, true]) {
      const answers = await Promise.all(names.map((name) => pool.run(task(name), {}, watch)));
      expect(answers.map((answer) => answer.warm)).toEqual(names.map(() => warm));
    }
    expect(most).toBe(1);
    expect(pool.statistics()).toMatchObject({ childrenStarted: 3, idle: 3, waiting: 0 });
  });
});

describe('who waits', () => {
  it('comes in the order of asking, and those of higher priority before', async () => {
    make({ maximumChildren: 1 });
    const order: string[] = [];
    const run = (name: string, priority?: number) =>
      pool.run(task(), priority === undefined ? {} : { priority }).then(() => order.push(name));
    const first = run('first');
    await expect.poll(() => pool.statistics().busy, { timeout: 20_000, interval: 5 }).toBe(1);
    const later = [run('second'), run('third'), run('urgent', 5)];
    await expect.poll(() => pool.statistics().waiting, { timeout: 20_000, interval: 5 }).toBe(3);
    await Promise.all([first, ...later]);
    expect(order).toEqual(['first', 'urgent', 'second', 'third']);
  });

  it('as long as it would is refused as busy, with a time to come again', async () => {
    make({ maximumChildren: 1 });
    const first = pool.run(task());
    await expect.poll(() => pool.statistics().busy, { timeout: 20_000, interval: 5 }).toBe(1);
    const [atOnce, soon] = await Promise.all([
      failureOf(pool.run(task(), { waitMs: 0 })),
      failureOf(pool.run(task(), { waitMs: 30 })),
    ]);
    for (const error of [atOnce, soon]) {
      expect(error).toBeInstanceOf(BusyError);
      expect(error.kind).toBe('busy');
      expect((error as BusyError).retryAfterSeconds).toBeGreaterThanOrEqual(1);
      expect((error as BusyError).retryAfterSeconds).toBeLessThan(60);
    }
    await first;
    expect(pool.statistics().refusals.busy).toBe(2);
  });

  it('in a line that is full is refused as busy', async () => {
    make({ maximumChildren: 1, maximumWaiting: 1 });
    const [first, second, third] = [pool.run(task()), pool.run(task()), failureOf(pool.run(task()))];
    expect((await third).kind).toBe('busy');
    await Promise.all([first, second]);
  });

  it('and cancels is gone from the line at once', async () => {
    make({ maximumChildren: 1 });
    const first = pool.run(task());
    await expect.poll(() => pool.statistics().busy, { timeout: 20_000, interval: 5 }).toBe(1);
    const controller = new AbortController();
    const second = failureOf(pool.run(task(), {}, { signal: controller.signal }));
    await expect.poll(() => pool.statistics().waiting, { timeout: 20_000, interval: 5 }).toBe(1);
    controller.abort();
    expect((await second).kind).toBe('cancelled');
    expect(pool.statistics()).toMatchObject({ waiting: 0, busy: 1 });
    await first;
  });

  it('is refused with the figures when the machine has meanwhile less than it needs', async () => {
    let free = 4000 * MB;
    make({ maximumChildren: 1, freeBytes: () => free });
    const first = pool.run(task());
    await expect.poll(() => pool.statistics().busy, { timeout: 20_000, interval: 5 }).toBe(1);
    const second = failureOf(pool.run(task('PassThroughModel')));
    await expect.poll(() => pool.statistics().waiting, { timeout: 20_000, interval: 5 }).toBe(1);
    // Somebody else on this machine took nearly everything, also what our own child will give back.
    free = -4000 * MB;
    await first;
    expect(await second).toMatchObject({ kind: 'memory-forecast' });
  });
});

describe('a pool that closes', () => {
  it('cancels what runs and what waits, and leaves nothing', async () => {
    make({ maximumChildren: 1 });
    const tasks = [task(), task()];
    const [first, second] = tasks.map((each) => failureOf(pool.run(each)));
    await expect.poll(() => pool.statistics().waiting, { timeout: 20_000, interval: 5 }).toBe(1);
    await pool.close();
    expect([(await first).kind, (await second).kind]).toEqual(['cancelled', 'cancelled']);
    expect(tasks.flatMap(({ outputFolder }) => left(outputFolder))).toEqual([]);
    expect((await failureOf(pool.run(task()))).kind).toBe('cancelled');
  });
});
