import { createReadStream } from 'node:fs';
import { shippedModels } from '@isocenter/engine';
import { Failure } from '@isocenter/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM } from '../accounts/actor.js';
import { openAuditLog } from '../audit/open-audit-log.js';
import type { ComputePool } from '../compute/compute-pool.js';
import { createComputePool } from '../compute/create-compute-pool.js';
import { type Workshop, workshop } from '../compute/pool.suite.js';
import type { ModelVersion } from '../registry/model.js';
import { openRegistry } from '../registry/open-registry.js';
import type { Job } from './job.js';
import type { JobHandler } from './job-handler.js';
import { ADMINISTRATOR, type JobHarness, jobHarness, poll } from './job-harness.suite.js';
import { segmentHandler } from './segment-handler.js';

describe('a segmentation is a job', () => {
  let harness: JobHarness;
  let shop: Workshop;
  let pool: ComputePool;
  let handler: JobHandler;
  let model: ModelVersion;
  beforeAll(async () => {
    harness = await jobHarness();
    shop = workshop();
    pool = createComputePool({ workFolder: shop.workFolder, maximumChildren: 1 });
    const { db, blobs } = harness;
    const audit = openAuditLog({ db });
    const registry = await openRegistry({ db, blobs, audit, cacheFolder: `${harness.folder}/models`, shippedModels });
    model = (await registry.version('ct-basic'))!;
    handler = segmentHandler({ registry, blobs, compute: pool });
    await harness.worker({ handlers: [handler] });
  });
  afterAll(async () => {
    await harness?.close();
    await pool?.close();
    shop?.remove();
  });

  const post = async (path: string, parameters: Record<string, unknown>): Promise<Job> => {
    const { id } = await harness.blobs.write(createReadStream(path), { purpose: 'upload', actor: SYSTEM });
    const about = { kind: 'segment', model: model.address, modelVersionId: model.id, inputBlobIds: [id] };
    return harness.until((await harness.create(parameters, about)).id, 60_000);
  };

  it('from a zip to proven contours, through a compute child', async () => {
    const job = await post(await shop.thorax([64, 64, 40]), {
      formats: ['rtstruct', 'nifti', 'png', 'csv'],
      door: 'x',
    });
    expect(job.failure).toBeUndefined();
    expect(job).toMatchObject({ state: 'succeeded', report: { kind: 'segment-report', exact: true } });
    const types = Object.fromEntries(job.files.map(({ name, mediaType }) => [name, mediaType]));
    expect(types).toMatchObject({
      'segmentation.rtstruct.dcm': 'application/dicom',
      'segmentation.overlay.png': 'image/png',
      'segmentation.volumes.csv': 'text/csv',
      'segmentation.proof.json': 'application/json',
    });
    const { step_seconds } = await harness.db
      .selectFrom('job')
      .select('step_seconds')
      .where('id', '=', job.id)
      .executeTakeFirstOrThrow();
    expect(Object.keys(step_seconds!)).toEqual(expect.arrayContaining(['fetch', 'read', 'model', 'write']));
    // The worker's folder and the input go right after the end was written.
    const left = async () => ((await harness.filesLeft()).length === job.files.length ? true : undefined);
    expect(await poll(5_000, left)).toBe(true);
  });

  it('and writes the same bytes in a second attempt', async () => {
    const path = await shop.thorax([32, 32, 16]);
    const { id } = await harness.blobs.write(createReadStream(path), { purpose: 'upload', actor: SYSTEM });
    const about = { kind: 'segment', model: model.address, modelVersionId: model.id, inputBlobIds: [id] };
    // The first attempt runs to its end and is then lost, as if its worker had died before the last word.
    const once: string[][] = [];
    const crashing: JobHandler = {
      ...handler,
      kind: 'segment-again',
      run: async (job, context) => {
        const result = await handler.run(job, context);
        const { createHash } = await import('node:crypto');
        const { readFile } = await import('node:fs/promises');
        const hash = async (file: string) =>
          createHash('sha256')
            .update(await readFile(file))
            .digest('hex');
        once.push(await Promise.all(result.files.map((file) => hash(file.path))));
        if (once.length === 1) throw new Failure('child-crashed', 'after all was written');
        return result;
      },
    };
    await harness.worker({ handlers: [crashing], retryDelaySeconds: () => 0 });
    const created = await harness.create({ formats: ['rtstruct', 'seg'] }, { ...about, kind: 'segment-again' });
    expect(await harness.until(created.id, 60_000)).toMatchObject({ state: 'succeeded', attempts: 2 });
    expect(once).toHaveLength(2);
    expect(once[1]).toEqual(once[0]);
  });

  it('fails at once, with its reason, when the input or a parameter is wrong', async () => {
    const bytes = await harness.upload(5_000);
    const about = { kind: 'segment', model: model.address, modelVersionId: model.id, inputBlobIds: [bytes] };
    const noise = await harness.until((await harness.create({}, about)).id, 60_000);
    expect(noise).toMatchObject({ state: 'failed', attempts: 1 });
    expect(noise.failure?.kind).not.toBe('internal');
    const wrong = await harness.create({ holes: 'round' }, { ...about, inputBlobIds: [await harness.upload()] });
    expect(await harness.until(wrong.id)).toMatchObject({
      state: 'failed',
      failure: { kind: 'bad-parameters', where: 'holes' },
    });
    const none = await harness.create({}, { ...about, inputBlobIds: [] });
    expect(await harness.until(none.id)).toMatchObject({ state: 'failed', failure: { kind: 'no-input' } });
    await expect(harness.jobs.retry(wrong.id, ADMINISTRATOR)).rejects.toMatchObject({ kind: 'input-gone' });
  });

  it('tries again what passes, and nothing else', () => {
    for (const kind of ['child-crashed', 'busy', 'memory-forecast', 'store-unavailable', 'unavailable', 'no-space'])
      expect(handler.retryable(new Failure(kind, '')), kind).toBe(true);
    for (const kind of ['no-series', 'time-limit', 'memory-limit', 'not-found', 'checksum-mismatch', 'damaged'])
      expect(handler.retryable(new Failure(kind, '')), kind).toBe(false);
    expect(handler.retryable(Object.assign(new Error('x'), { code: '57P01' }))).toBe(true);
    expect(handler.retryable(new TypeError('x'))).toBe(false);
  });
});
