import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JobHarness, jobHarness, OTHER_SERVICE, poll, SERVICE } from './job-harness.suite.js';

describe('a job lives from request to result', () => {
  let harness: JobHarness;
  beforeAll(async () => {
    harness = await jobHarness();
    await harness.worker({ slots: 2 });
  });
  afterAll(() => harness.close());

  it('ends with its files, its report and its input erased', async () => {
    const input = await harness.upload();
    const { id } = await harness.create({ text: 'hello' }, { inputBlobIds: [input] });
    const job = await harness.until(id);
    expect(job).toMatchObject({
      state: 'succeeded',
      attempts: 1,
      progress: { fraction: 1 },
      report: { text: 'hello' },
    });
    expect(job.files).toMatchObject([{ name: 'answer.txt', mediaType: 'text/plain', bytes: 6 }]);
    const { stream } = await harness.blobs.open(job.files[0]!.blobId);
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('hello\n');
    // The erasing follows the commit that makes the end visible.
    const erased = await poll(5_000, () =>
      harness.blobs.open(input).then(
        ({ stream }) => void stream.destroy(),
        (error: { kind: string }) => error.kind,
      ),
    );
    expect(erased).toBe('not-found');
  });

  it('fails with the words of the Failure, and does not say what it does not understand', async () => {
    const bad = await harness.create({ failKind: 'bad-zip' });
    expect(await harness.until(bad.id)).toMatchObject({
      state: 'failed',
      attempts: 1,
      failure: { kind: 'bad-zip', message: 'It was asked to fail', next: 'Ask for something else.' },
    });
    const defect = await harness.create({ throwText: 'DOE^JANE in /data/doe.dcm' });
    const { failure } = await harness.until(defect.id);
    expect(failure?.kind).toBe('internal');
    expect(JSON.stringify(failure)).not.toMatch(/JANE|dcm/);
  });

  it('is tried again when another attempt makes sense, and no more often than was said', async () => {
    const twice = await harness.create({ failKind: 'passing', failures: 1 });
    const never = await harness.create({ failKind: 'passing' }, { maxAttempts: 2 });
    expect(await harness.until(twice.id)).toMatchObject({ state: 'succeeded', attempts: 2 });
    expect(await harness.until(never.id)).toMatchObject({ state: 'failed', attempts: 2, failure: { kind: 'passing' } });
  });

  it('is one job for one idempotency key of one account', async () => {
    const more = { idempotencyKey: 'once' };
    const made = await Promise.all(Array.from({ length: 8 }, () => harness.create({ text: 'x' }, more)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    // Each request had brought its own copy of the input: those of the others are gone at once.
    await harness.until(made[0]!.id);
    const kept = async () => ((await harness.storedUploads()).length === 0 ? true : undefined);
    expect(await poll(5_000, kept)).toBe(true);
    const other = await harness.create({ text: 'x' }, { ...more, actor: OTHER_SERVICE });
    expect(other.id).not.toBe(made[0]!.id);
    expect(await harness.jobs.get(other.id, SERVICE)).toBeUndefined();
    await harness.until(other.id);
  });

  it('is not made when the rows of the caller are not', async () => {
    const input = await harness.upload();
    let made = '';
    const creating = harness.jobs.create(
      { kind: 'fake', protocol: 'rest', actor: SERVICE, inputBlobIds: [input], parameters: {} },
      async (_executor, id) => {
        made = id;
        throw new Error('no');
      },
    );
    await expect(creating).rejects.toThrow('no');
    expect(await harness.jobs.get(made, SERVICE)).toBeUndefined();
    expect((await harness.journal()).some(({ id }) => id === made)).toBe(false);
  });
});
