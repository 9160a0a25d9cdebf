/** kill -9 of the process that holds the pool: its children end by themselves, also in mid-network, and files go. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithData, repositoryRoot } from '../../../../tools/test/needs.js';
import type { SegmentTask } from './compute-pool.js';
import { createComputePool } from './create-compute-pool.js';
import { isGone, left, networks, workshop } from './pool.suite.js';

const shop = workshop();
afterAll(() => shop.remove());

/** A process with a pool that does `task`, and says the child's id once the child is as large as asked. */
async function serverWith(task: SegmentTask, residentBytes: number): Promise<{ kill(): void; child: number }> {
  const dist = join(repositoryRoot, 'packages/server/dist/compute/create-compute-pool.js');
  const script = `
    const { createComputePool } = await import(${JSON.stringify(dist)});
    const pool = createComputePool({ workFolder: ${JSON.stringify(shop.workFolder)}, maximumChildren: 1, threads: 1 });
    setInterval(() => {
      const busy = pool.models().find(({ state, residentBytes }) => state === 'busy' && residentBytes > ${residentBytes});
      if (busy) console.log(busy.pid);
    }, 20);
    await pool.run(${JSON.stringify(task)});`;
  const server = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const child = Number(String(await new Promise((resolve) => server.stdout.once('data', resolve))).split('\n')[0]);
  return { kill: () => server.kill('SIGKILL'), child };
}

describeWithData('models-meshnet', 'a server that is killed', (data) => {
  it('while a child is in one long call of the network leaves neither the child nor a file', async () => {
    const { large, head } = networks(shop, data);
    const task = shop.task(large(), await head());
    const { kill, child } = await serverWith(task, 500 * 2 ** 20);
    expect(left(shop.workFolder).some((name) => name.includes('task-'))).toBe(true);
    kill();
    // The network would compute for many seconds yet, and hear of nothing.
    await expect.poll(() => isGone(child), { timeout: 30_000, interval: 20 }).toBe(true);
    expect(left(shop.workFolder)).toEqual([]);
    expect(left(task.outputFolder)).toEqual([]);
  });
});

describe('a server that is killed', () => {
  it('while a built-in model works leaves neither the child nor a file', async () => {
    const task = shop.task(shop.shipped('ct-basic'), await shop.thorax([256, 256, 60]), ['rtstruct', 'seg', 'png']);
    const { kill, child } = await serverWith(task, 0);
    kill();
    await expect.poll(() => isGone(child), { timeout: 30_000, interval: 20 }).toBe(true);
    expect(left(shop.workFolder)).toEqual([]);
    expect(left(task.outputFolder)).toEqual([]);
  });
});

describe('what killed servers left all the same', () => {
  it('is swept by the next pool; folders of living ones and of strangers stay', async () => {
    const other = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, threads: 1 });
    await other.warm(shop.shipped('PassThroughModel'));
    const living = readdirSync(shop.workFolder);
    // Process ids end at 2^22 on Linux: this one never lives.
    const dead = join(shop.workFolder, 'compute-4194999-1-000000.000000.000000-x').replace(
      /000000\.000000\.000000/,
      living[0].split('-')[3],
    );
    const stranger = mkdtempSync(join(shop.workFolder, 'somebody-elses-'));
    mkdirSync(join(dead, 'task-x'), { recursive: true });
    const next = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, threads: 1 });
    await expect.poll(() => existsSync(dead), { timeout: 5000, interval: 20 }).toBe(false);
    expect(existsSync(stranger)).toBe(true);
    expect(existsSync(join(shop.workFolder, living[0]))).toBe(true);
    await next.close();
    await other.close();
  });
});
