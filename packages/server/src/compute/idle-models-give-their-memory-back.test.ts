/**
 * Models leave when another needs the place, when nobody asked for them for long, when they have grown, when told to; and
 * loading and unloading for ever keeps memory and handles flat. ISOCENTER_LONG=1 does a thousand cycles instead of thirty.
 */
import { readdirSync } from 'node:fs';
import { processMemory } from '@isocenter/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import type { ComputePool } from './compute-pool.js';
import { createComputePool } from './create-compute-pool.js';
import { isGone, left, networks, type Workshop, workshop } from './pool.suite.js';

const MB = 2 ** 20;
const LONG = process.env.ISOCENTER_LONG === '1';
let shop: Workshop;
let pool: ComputePool;
beforeEach(() => {
  shop = workshop();
});
afterEach(async () => {
  await pool.close();
  expect(left(shop.workFolder)).toEqual([]);
  shop.remove();
});

const addresses = () => pool.models().map(({ address }) => address.replace(':test', ''));

describe('a warm model', () => {
  it('leaves when another needs its place: the longest unused first', async () => {
    pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 2, threads: 1 });
    const { pid } = await pool.warm(shop.shipped('PassThroughModel'));
    await pool.warm(shop.shipped('Phantom'));
    const two = pool.statistics().residentBytes;
    // Used again, so that Phantom is now the longest unused.
    await pool.run(shop.task(shop.shipped('PassThroughModel'), await shop.thorax([64, 56, 20])));
    await pool.warm(shop.shipped('ct-basic'));
    expect(addresses()).toEqual(['PassThroughModel', 'ct-basic']);
    expect(isGone(pid)).toBe(false);
    expect(pool.statistics().evictions.room).toBe(1);
    await expect.poll(() => pool.statistics().residentBytes / two, { timeout: 30_000, interval: 20 }).toBeLessThan(1.6);
  });

  it('leaves when its memory is needed, also where there were places enough', async () => {
    pool = createComputePool({
      workFolder: shop.workFolder,
      maximumChildren: 4,
      threads: 1,
      memoryBudgetBytes: 200 * MB,
    });
    await pool.warm(shop.shipped('PassThroughModel'));
    await pool.run(shop.task(shop.shipped('ct-basic'), await shop.thorax([64, 56, 20])));
    expect(addresses()).toEqual(['ct-basic']);
  });

  it('that nobody uses for long ends, and its memory is the system’s again', async () => {
    pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 2, threads: 1, idleMs: 400 });
    const { pid, residentBytes } = await pool.warm(shop.shipped('ct-basic'));
    expect(residentBytes).toBeGreaterThan(40 * MB);
    await expect.poll(() => isGone(pid), { timeout: 30_000, interval: 20 }).toBe(true);
    await expect.poll(() => pool.statistics().residentBytes, { timeout: 10_000, interval: 20 }).toBe(0);
    expect(pool.models()).toEqual([]);
    expect(pool.statistics().evictions.idle).toBe(1);
    const answer = await pool.run(shop.task(shop.shipped('ct-basic'), await shop.thorax([64, 56, 20])));
    expect(answer.warm).toBe(false);
  });

  it('that has grown beyond the threshold in a run is not used again', async () => {
    pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, threads: 1, recycleBytes: MB });
    const task = shop.task(shop.shipped('ct-basic'), await shop.thorax([128, 112, 40]));
    await pool.run(task);
    await expect.poll(() => pool.statistics().evictions.recycled, { timeout: 30_000, interval: 20 }).toBe(1);
    expect(pool.models()).toEqual([]);
  });

  it('is evicted when it is told to, and only that one', async () => {
    pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 2, threads: 1 });
    const { sha256, pid } = await pool.warm(shop.shipped('PassThroughModel'));
    await pool.warm(shop.shipped('Phantom'));
    expect(await pool.evict(sha256)).toBe(true);
    expect(isGone(pid)).toBe(true);
    expect(await pool.evict(sha256)).toBe(false);
    expect(addresses()).toEqual(['Phantom']);
  });

  it('that dies while it is idle is no longer listed, and the next task starts another', async () => {
    pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, threads: 1 });
    const { pid } = await pool.warm(shop.shipped('ct-basic'));
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => pool.models(), { timeout: 30_000, interval: 20 }).toEqual([]);
    const answer = await pool.run(shop.task(shop.shipped('ct-basic'), await shop.thorax([64, 56, 20])));
    expect(answer.warm).toBe(false);
    expect(pool.statistics().crashes).toBe(1);
  });
});

describe('a spare child', () => {
  it('is started after the first use, and takes the next model', async () => {
    pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 2, threads: 1, spare: true });
    const input = await shop.thorax([64, 56, 20]);
    expect(pool.statistics().childrenStarted).toBe(0);
    await pool.run(shop.task(shop.shipped('ct-basic'), input));
    await expect.poll(() => pool.statistics().childrenStarted, { timeout: 30_000, interval: 20 }).toBe(2);
    await pool.run(shop.task(shop.shipped('PassThroughModel'), input));
    expect(addresses().sort()).toEqual(['PassThroughModel', 'ct-basic']);
    // Two models fill the pool: no third child is kept for nothing.
    expect(pool.statistics().childrenStarted).toBe(2);
  });
});

/** Resident memory of this process after each cycle, and what it holds open. */
function footprint() {
  (globalThis as { gc?: () => void }).gc?.();
  const files = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
  return {
    resident: processMemory('self')?.residentBytes ?? 0,
    files,
    handles: process.getActiveResourcesInfo().length,
  };
}

function curve(values: readonly number[]): string {
  const at = (share: number) => `${(values[Math.floor((values.length - 1) * share)] / MB).toFixed(0)} MB`;
  return `start ${at(0)}, a quarter ${at(0.25)}, middle ${at(0.5)}, three quarters ${at(0.75)}, end ${at(1)}`;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describeWithData('models-meshnet', 'for ever', (data) => {
  it(
    'models are loaded and unloaded, and memory and handles of the parent stay flat',
    async () => {
      pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, threads: 1 });
      const cycles = LONG ? 1000 : 30;
      const models = [networks(shop, data).small(), shop.shipped('ct-basic')];
      const seen = [];
      for (let n = 0; n < cycles; n++) {
        await pool.warm(models[n % 2]);
        seen.push(footprint());
      }
      await pool.evict(models[(cycles - 1) % 2].sha256);
      expect(pool.statistics().residentBytes).toBe(0);
      const resident = seen.map((each) => each.resident);
      console.log(`${cycles} models loaded and unloaded; parent: ${curve(resident)}`);
      // The first third warms up the heap; from there on the rest must not climb.
      const third = Math.floor(cycles / 3);
      expect(mean(resident.slice(-third))).toBeLessThan(mean(resident.slice(third, 2 * third)) + 20 * MB);
      expect(seen.at(-1)?.files).toBeLessThanOrEqual((seen[2]?.files ?? 0) + 2);
      expect(seen.at(-1)?.handles).toBeLessThanOrEqual((seen[2]?.handles ?? 0) + 2);
    },
    LONG ? 7_200_000 : 120_000,
  );

  it(
    'one warm child runs, and its memory stays flat',
    async () => {
      pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, threads: 1 });
      const runs = LONG ? 1000 : 30;
      const { small, patch } = networks(shop, data);
      const [model, input] = [small(), await patch()];
      const resident: number[] = [];
      for (let n = 0; n < runs; n++) {
        await pool.run(shop.task(model, input, ['nifti']));
        resident.push(pool.models()[0]?.residentBytes ?? 0);
      }
      console.log(`${runs} runs in one child; child: ${curve(resident)}`);
      expect(pool.statistics()).toMatchObject({ childrenStarted: 1, runs, warmHits: runs - 1 });
      const third = Math.floor(runs / 3);
      expect(mean(resident.slice(-third))).toBeLessThan(mean(resident.slice(third, 2 * third)) + 20 * MB);
    },
    LONG ? 7_200_000 : 120_000,
  );
});
