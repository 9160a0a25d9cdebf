/** A second task with the same model finds it loaded: sooner, and with the same bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SegmentReport } from '@isocenter/engine';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { createComputePool } from './create-compute-pool.js';
import { hashesOf, left, networks, workshop } from './pool.suite.js';

const shop = workshop();
const pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 2, threads: 1 });
afterAll(async () => {
  await pool.close();
  expect(left(shop.workFolder)).toEqual([]);
  shop.remove();
});

describeWithData('models-meshnet', 'a network', (data) => {
  it('is loaded once, and its answer is the same bytes cold, warm and in a fresh pool', async () => {
    const { small, patch } = networks(shop, data);
    const [model, input] = [small(), await patch()];
    const task = () => shop.task(model, input, ['nifti', 'csv']);
    const [first, second, elsewhere] = [task(), task(), task()];
    const cold = await pool.run(first);
    const warm = await pool.run(second);
    const times = [warm.seconds];
    for (let n = 0; n < 2; n++) times.push((await pool.run(task())).seconds);
    const fresh = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, threads: 1 });
    const other = await fresh.run(elsewhere).finally(() => fresh.close());
    expect([cold.warm, warm.warm, other.warm]).toEqual([false, true, false]);
    // Start of a process, loading of modules and model are left out: never by a little.
    expect(Math.min(...times)).toBeLessThan(cold.seconds);
    const bytes = hashesOf(first.outputFolder);
    expect(Object.keys(bytes)).toContain('segmentation.nii.gz');
    expect(hashesOf(second.outputFolder)).toEqual(bytes);
    expect(hashesOf(elsewhere.outputFolder)).toEqual(bytes);
  });
});

describe('a task', () => {
  it('writes the files it names, reports without any path, and tells its progress', async () => {
    const task = shop.task(shop.shipped('ct-basic'), await shop.thorax([64, 56, 20]), ['rtstruct', 'seg', 'csv']);
    const steps = new Set<string>();
    const answer = await pool.run(task, {}, { progress: (_done, _total, step) => steps.add(step) });
    const report = answer.report as SegmentReport;
    expect([...answer.files].sort()).toEqual(left(task.outputFolder).sort());
    expect(answer.files).toContain('segmentation.rtstruct.dcm');
    expect(report.exact).toBe(true);
    expect(report.files).toEqual(answer.files);
    expect(JSON.stringify(report)).not.toContain(shop.path);
    expect(readFileSync(join(task.outputFolder, 'segmentation.proof.json'), 'utf8')).not.toContain(shop.path);
    expect(answer.peakMemoryBytes).toBeGreaterThan(50 * 2 ** 20);
    expect([...steps].some((step) => step.startsWith('write'))).toBe(true);
  });

  it('of another model never gets the same process', async () => {
    const warm = await pool.warm(shop.shipped('PassThroughModel'));
    const again = await pool.warm(shop.shipped('PassThroughModel'));
    expect(again.pid).toBe(warm.pid);
    const pids = pool.models().map(({ pid }) => pid);
    expect(new Set(pids).size).toBe(pids.length);
    expect(pool.models().find(({ pid }) => pid === warm.pid)).toMatchObject({
      address: 'PassThroughModel:test',
      state: 'idle',
    });
  });

  it('that the run refuses fails with its own words, no path, and an empty output folder; the child goes on', async () => {
    const model = shop.shipped('ct-basic');
    const bad = {
      ...shop.task(model, await shop.thorax([64, 56, 20])),
      wish: { formats: ['rtstruct'], series: '1.2.3' },
    };
    const error = await pool.run(bad).catch((failure: Error) => failure);
    expect(error).toMatchObject({ name: 'SeriesError' });
    expect(JSON.stringify([(error as Error).message, { ...(error as Error) }])).not.toContain(shop.path);
    expect(left(bad.outputFolder)).toEqual([]);
    const next = await pool.run(shop.task(model, await shop.thorax([64, 56, 20])));
    expect(next.warm).toBe(true);
  });
});
