/** Promise: slices decoded on threads are the same as one after the other, and failures keep their kind. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { parseDicom } from '../dataset/parse.js';
import { decodeFrames } from './decode.js';
import { closeDecodePool, type DecodeJob, decodeInstancesParallel } from './decode-pool.js';

const JPEG_2000 = '1.2.840.10008.1.2.4.90';

describeWithData('dicom-transfer-syntax/pydicom', 'many slices at once', (root) => {
  const good = readFileSync(join(root, 'MR_small_jp2klossless.dcm'));
  const samples = 64 * 64;

  function jobs(target: Int16Array, count: number, bytes: (i: number) => Uint8Array): DecodeJob[] {
    return Array.from({ length: count }, (_, i) => ({ read: async () => bytes(i), target, offset: i * samples }));
  }

  afterAll(closeDecodePool);

  for (const threads of [1, 2])
    it(`${threads} thread(s) fill the shared array slice by slice`, async () => {
      const target = new Int16Array(new SharedArrayBuffer(samples * 2 * 9));
      let last = 0;
      const options = { transferSyntaxUID: JPEG_2000, threads, onDone: (done: number) => (last = done) };
      await decodeInstancesParallel(
        jobs(target, 9, () => good),
        options,
      );
      const expected = (await decodeFrames(parseDicom(good))).data;
      for (let i = 0; i < 9; i++) expect(target.slice(i * samples, (i + 1) * samples)).toEqual(expected);
      expect(last).toBe(9);
    });

  it('the first damaged slice ends the work with its own kind of error', async () => {
    const target = new Int16Array(new SharedArrayBuffer(samples * 2 * 8));
    const work = jobs(target, 8, (i) => (i === 5 ? good.subarray(0, good.length - 1000) : good));
    const done = decodeInstancesParallel(work, { transferSyntaxUID: JPEG_2000, threads: 2 });
    await expect(done).rejects.toMatchObject({ name: 'DicomError', kind: 'truncated' });
  });

  it('an aborted signal stops it', async () => {
    const target = new Int16Array(new SharedArrayBuffer(samples * 2 * 8));
    const stop = new AbortController();
    const options = { transferSyntaxUID: JPEG_2000, threads: 2, signal: stop.signal, onDone: () => stop.abort() };
    await expect(
      decodeInstancesParallel(
        jobs(target, 8, () => good),
        options,
      ),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('memory that is not shared is filled by this thread', async () => {
    const target = new Int16Array(samples * 5);
    await decodeInstancesParallel(
      jobs(target, 5, () => good),
      { transferSyntaxUID: JPEG_2000, threads: 2 },
    );
    expect(target.slice(4 * samples)).toEqual((await decodeFrames(parseDicom(good))).data);
  });
});
