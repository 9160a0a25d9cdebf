/**
 * The compute child: reads its job from the folder named on the command line, runs the bundle, writes the answer. Only
 * here does ONNX Runtime run, which blocks its thread: whoever wants it to stop kills this process.
 */
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFailure } from '@isocenter/volume';
import type { Prediction } from '../prediction.js';
import { runBundle } from '../run.js';
import type { Answer, ChildMessage, Job } from './child-messages.js';
import { readVolume, writeVolume } from './exchange-folder.js';
import { processMemory } from './process-memory.js';

/** Progress is for people: more often than this it only costs. */
const PROGRESS_EVERY_MS = 100;

const send = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send) process.send(message, () => resolve());
    else resolve();
  });

async function work(folder: string): Promise<ChildMessage> {
  const job = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8')) as Job;
  const channels = [];
  for (const channel of job.channels) channels.push({ ...channel, volume: await readVolume(folder, channel.volume) });
  let last = 0;
  const prediction = await runBundle(
    job.bundle,
    { channels },
    {
      progress(done, total, step) {
        const now = Date.now();
        if (now - last < PROGRESS_EVERY_MS && done !== total) return;
        last = now;
        void send({ kind: 'progress', done, total, step });
      },
    },
    {
      threads: job.threads,
      ...(job.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: job.memoryLimitBytes }),
      onInputTaken: () => {
        channels.length = 0;
      },
    },
  );
  return {
    kind: 'answer',
    answer: await answerOf(folder, prediction),
    peakMemoryBytes: processMemory('self')?.peakBytes ?? process.resourceUsage().maxRSS * 1024,
  };
}

async function answerOf(folder: string, prediction: Prediction): Promise<Answer> {
  if (prediction.kind === 'classification') return prediction;
  const { grid, layers, structures } = prediction.segmentation;
  const headers = [];
  for (const [at, layer] of layers.entries()) headers.push(await writeVolume(folder, `layer-${at}.raw`, layer));
  return { kind: 'segmentation', grid: { size: grid.size, affine: grid.affine }, layers: headers, structures };
}

function failureOf(error: unknown): ChildMessage {
  if (isFailure(error))
    return {
      kind: 'failure',
      name: error.name,
      failure: error.kind,
      message: error.message,
      where: error.where,
      next: error.next,
    };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    kind: 'failure',
    name: 'ComputeError',
    failure: 'child-crashed',
    message: `The run failed unexpectedly: ${text}`,
    where: error instanceof Error ? error.stack?.split('\n')[1]?.trim() : undefined,
    next: 'This is a defect of ours; please report it',
  };
}

const folder = process.argv[2];
// A parent that is gone can neither take the answer nor clear up: images must not stay behind.
function clearUp(): never {
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
process.on('disconnect', clearUp);
// It may have gone while this module was being loaded, when nobody listened.
if (!process.connected) clearUp();
await send(await work(folder).catch(failureOf));
if (!process.connected) clearUp();
process.exit(0);
