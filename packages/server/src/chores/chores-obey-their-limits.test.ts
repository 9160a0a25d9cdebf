/** Chores in real children: few at a time, not for ever, gone when nobody waits for them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Chores } from './chores.js';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-chores-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const phantom = () => ({ kind: 'phantom' as const, outputPath: join(folder, `${count++}.zip`) });

test('an answer comes back, and what the chore throws keeps kind, place and next step', async () => {
  const chores = new Chores();
  const patient = phantom();
  const { bytes } = await chores.run(patient);
  expect(bytes).toBeGreaterThan(10_000);
  const found = await chores.run({ kind: 'inspect', inputPath: patient.outputPath });
  expect(found.series).toHaveLength(1);
  expect(Object.keys(found.series[0])).not.toContain('title');
  await expect(
    chores.run({ kind: 'slicer-segmentation', layerPaths: [], structures: [], outputPath: join(folder, 'x') }),
  ).rejects.toMatchObject({ name: 'ChoreError', kind: 'no-layers', next: 'Run the job again.' });
  await expect(chores.run({ kind: 'inspect', inputPath: folder })).rejects.toMatchObject({ kind: expect.any(String) });
});

test('more than run and wait at once are told to come back', async () => {
  const chores = new Chores({ atOnce: 1, waiting: 1 });
  const first = chores.run(phantom());
  const second = chores.run(phantom());
  await expect(chores.run(phantom())).rejects.toMatchObject({ kind: 'busy', retryAfterSeconds: 5 });
  await Promise.all([first, second]);
  // Their places are free again.
  await chores.run(phantom());
});

test('a chore that takes too long or too much memory is ended with a reason', async () => {
  await expect(new Chores({ timeMs: 1 }).run(phantom())).rejects.toMatchObject({ kind: 'time-limit' });
  await expect(new Chores({ heapMegabytes: 3 }).run(phantom())).rejects.toMatchObject({ kind: 'crashed' });
});

test('a chore that nobody waits for ends, in its turn or before it', async () => {
  const chores = new Chores({ atOnce: 1 });
  const running = new AbortController();
  const waiting = new AbortController();
  const first = chores.run(phantom(), running.signal);
  const second = chores.run(phantom(), waiting.signal);
  waiting.abort();
  await expect(second).rejects.toMatchObject({ kind: 'cancelled' });
  running.abort();
  await expect(first).rejects.toMatchObject({ kind: 'cancelled' });
  await expect(chores.run(phantom(), AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
  const third = chores.run(phantom());
  chores.close();
  await expect(third).rejects.toMatchObject({ kind: 'cancelled' });
});
