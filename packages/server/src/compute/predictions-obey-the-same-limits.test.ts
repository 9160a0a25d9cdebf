/** Promise: tasks of models that classify are forecast, limited, cancelled and kept warm as those of models that segment. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNifti } from '@isocenter/formats';
import { makeVolume } from '@isocenter/volume';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { assembleBundle } from '../../../engine/src/runtime/test-bundles.suite.js';
import type { ComputePool, ModelRef, PredictTask } from './compute-pool.js';
import { createComputePool } from './create-compute-pool.js';
import { failureOf, left, type Workshop, workshop } from './pool.suite.js';

describeWithData('model-onnx-brain-tumour-2d', 'a real classifier of single slices', (data) => {
  let shop: Workshop;
  let pool: ComputePool;
  let model: ModelRef;
  beforeAll(() => {
    shop = workshop();
    pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1, threads: 1 });
    const folder = assembleBundle(shop.path, 'brain-tumour-2d', join(data, 'model.onnx'));
    model = { address: 'brain-tumour-2d:1', folder, sha256: createHash('sha256').update(folder).digest('hex') };
  });
  afterAll(async () => {
    await pool.close();
    shop.remove();
  });

  const task = async (planes: number, formats: PredictTask['wish']['formats'] = []): Promise<PredictTask> => {
    const path = join(shop.path, `${planes}.nii`);
    const data = new Uint8Array(32 * 32 * planes).map((_, n) => n);
    const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    writeFileSync(path, await writeNifti(makeVolume(data, [32, 32, planes], affine)));
    const { kind: _, wish: __, ...parts } = shop.task(model, path);
    return { ...parts, kind: 'predict', wish: { formats } };
  };

  it('answers a report without paths, files where they are asked for, and finds the model warm the second time', async () => {
    const first = await pool.run(await task(2));
    expect(first).toMatchObject({ files: [], warm: false, report: { kind: 'predict-report', files: [] } });
    const second = await task(2, ['json', 'csv']);
    const answer = await pool.run(second);
    expect(answer.warm).toBe(true);
    expect([...answer.files].sort()).toEqual(['predictions.csv', 'predictions.json']);
    expect(left(second.outputFolder).sort()).toEqual(['predictions.csv', 'predictions.json']);
    const { predictions } = answer.report as { readonly predictions: readonly unknown[] };
    expect(predictions).toEqual((first.report as typeof answer.report & { predictions: unknown }).predictions);
    expect(JSON.stringify(answer.report)).not.toContain(shop.path);
    expect(answer.peakMemoryBytes).toBeGreaterThan(0);
  });

  it('is refused before it begins when it would not fit', async () => {
    const error = await failureOf(pool.run(await task(2), { memoryBytes: 2 ** 20 }));
    expect(error.kind).toBe('memory-forecast');
    expect((await pool.forecast(await task(2))).fits).toBe(true);
  });

  it.each(['cancelled', 'time-limit'] as const)(
    '%s: ends in the middle of many images and leaves no file',
    async (kind) => {
      const long = await task(2000, ['json']);
      const controller = new AbortController();
      const progress = (done: number) => {
        if (kind === 'cancelled' && done > 0) controller.abort();
      };
      const limits = kind === 'time-limit' ? { timeMs: 300 } : {};
      const error = await failureOf(pool.run(long, limits, { signal: controller.signal, progress }));
      expect([error.kind, left(long.outputFolder)]).toEqual([kind, []]);
    },
  );
});
