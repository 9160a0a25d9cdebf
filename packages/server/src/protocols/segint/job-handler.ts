/** The job 'segint': volumes out of the stored message, the model in a compute child, its masks into one ModelOutput. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { uidFrom } from '@isocenter/dicom/uid';
import { loadBundle, looksAtGridOnly } from '@isocenter/engine/bundles';
import { z } from 'zod';
import type { Reservation } from '../../blobs/disk-space.js';
import type { ModelRef } from '../../compute/compute-pool.js';
import type { Job } from '../../jobs/job.js';
import type { HandlerContext, HandlerResult, JobHandler } from '../../jobs/job-handler.js';
import { segmentHandler } from '../../jobs/segment-handler.js';
import type { ModelFamily, ModelVersion } from '../../registry/model.js';
import { storedVersion, structuresOf } from '../../registry/segint/family-message.js';
import { storedMessage } from '../../registry/segint/fill-family.js';
import type { WorkerParts } from '../protocol.js';
import { SegintJobError } from './errors.js';
import { readInputMessage } from './input-message.js';
import { inflateVolume, placeVolume, type Size, voxelBytes } from './input-volume.js';
import { PROTOBUF } from './messages.js';
import { type OutputChannel, writeOutputMessage } from './output-message.js';
import { planRuns, type Run } from './plan-runs.js';

export const SEGINT = 'segint';
export const RESULT_FILE = 'result.pb';

/** Of a job: what its request said. */
export const segintParameters = z.object({
  /** As the client wrote it in the address. */
  modelId: z.string(),
  strict: z.boolean(),
});

const STEPS = [
  { step: 'fetch', share: 0.05 },
  { step: 'unpack', share: 0.3 },
  { step: 'model', share: 0.6 },
  { step: 'write', share: 0.05 },
] as const;

/** Of one run: reading, computing, writing. */
const READ_SHARE = 0.2;
const WRITE_SHARE = 0.9;
const PARTS = 1000;

export function segintHandler(parts: WorkerParts): JobHandler {
  return Object.freeze<JobHandler>({
    kind: SEGINT,
    steps: STEPS,
    run: (job, context) => segment(parts, job, context),
    retryable: segmentHandler(parts).retryable,
  });
}

interface Asked {
  readonly version: ModelVersion;
  readonly family: ModelFamily | undefined;
  readonly model: ModelRef;
  /** The model never looks at a voxel's value. */
  readonly gridOnly: boolean;
}

async function segment(parts: WorkerParts, job: Job, context: HandlerContext): Promise<HandlerResult> {
  const { signal, progress, workFolder } = context;
  const { strict } = segintParameters.parse(job.parameters);
  const asked = await modelOf(parts, job, signal);
  progress('fetch', 1, 2);
  const input = await parts.blobs.toFile(job.inputBlobIds[0] ?? '', signal);
  let answers: readonly Answer[];
  try {
    progress('fetch', 2, 2);
    const runs = planRuns(await readInputMessage(input.path), asked.version, asked.family, strict);
    answers = await answersOf(parts, { job, asked, runs, path: input.path }, context);
  } finally {
    await input.done();
  }
  progress('write', 0, 1);
  const stored = asked.family && (await storedMessage(parts.registry, asked.family));
  const structures = structuresOf(asked.version, storedVersion(stored, asked.version));
  const channels = answers.flatMap(({ size, pathOf }) =>
    structures.map((structure, n): OutputChannel => ({ structure, size, maskPath: pathOf(n) })),
  );
  const path = join(workFolder, RESULT_FILE);
  const { versionId, majorVersion, minorVersion, languageCode } = asked.version;
  const output = await writeOutputMessage(path, channels, {
    ModelID: versionId,
    ProcesserVersion: `${majorVersion}.${minorVersion}`,
    LanguageCode: languageCode,
  });
  const [first, ...others] = answers.flatMap(({ report }) => (report === undefined ? [] : [report]));
  return {
    report: { ...(first as object | undefined), ...(others.length > 0 ? { others } : {}), output },
    files: [{ path, name: RESULT_FILE, mediaType: PROTOBUF }],
  };
}

interface Wish {
  readonly job: Job;
  readonly asked: Asked;
  readonly runs: readonly Run[];
  /** Of the stored message. */
  readonly path: string;
}

interface Answer {
  readonly size: Size;
  readonly report?: unknown;
  pathOf(structure: number): string;
}

/** For a model that looks at the grid alone, voxels are checked while it runs, and not kept. */
async function answersOf(parts: WorkerParts, wish: Wish, context: HandlerContext): Promise<readonly Answer[]> {
  const { gridOnly } = wish.asked;
  await place(wish, context, !gridOnly);
  if (!gridOnly) {
    const space = await parts.workSpace.reserve(bytesOf(wish.runs));
    try {
      await unpack(wish, context, space);
    } finally {
      space.release();
    }
    return runAll(parts, wish, context);
  }
  const stop = new AbortController();
  const both = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const work = [runAll(parts, wish, both), unpack(wish, both)] as const;
  try {
    const [answers] = await Promise.all(work);
    return answers;
  } catch (error) {
    stop.abort();
    await Promise.allSettled(work);
    throw error;
  }
}

async function runAll(parts: WorkerParts, wish: Wish, context: HandlerContext): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const [n, run] of wish.runs.entries())
    answers.push({
      size: run[0]!.size,
      ...(await runModel(parts, { ...wish, run, n, runs: wish.runs.length }, context)),
    });
  return answers;
}

async function modelOf({ registry }: WorkerParts, job: Job, signal: AbortSignal): Promise<Asked> {
  const version = job.modelVersionId === undefined ? undefined : await registry.version(job.modelVersionId);
  if (!version) throw new SegintJobError('no-model', 'The model of the job is no longer there');
  const [family, model] = await Promise.all([
    registry.family(version.familyId),
    registry.materialise(version.id, signal),
  ]);
  // A network looks at voxels; nobody needs to open its bundle for that.
  const gridOnly = version.weightsSha256 === 'none' && looksAtGridOnly(await loadBundle(model.folder));
  return { version, family, model, gridOnly };
}

const folderOf = (workFolder: string, n: number) => join(workFolder, `run-${n}`);
/** nnU-Net's way to say which channel a file is. */
const inputFile = (position: number) => `image_${String(position).padStart(4, '0')}.nrrd`;

const bytesOf = (runs: readonly Run[]): number => runs.flat().reduce((sum, { size }) => sum + voxelBytes(size), 0);
const isEmpty = (run: Run): boolean => run.some(({ size }) => size.includes(0));

async function place({ runs }: Wish, { workFolder }: HandlerContext, keepVoxels: boolean): Promise<void> {
  for (const [n, run] of runs.entries()) {
    const folder = folderOf(workFolder, n);
    await mkdir(join(folder, 'in'), { recursive: true });
    await mkdir(join(folder, 'out'));
    for (const each of run) await placeVolume(each, join(folder, 'in', inputFile(each.position)), keepVoxels);
  }
}

async function unpack(
  { runs, path }: Wish,
  { signal, progress, workFolder }: HandlerContext,
  space?: Reservation,
): Promise<void> {
  const total = bytesOf(runs);
  let before = 0;
  for (const [n, run] of runs.entries())
    for (const each of run) {
      const target = space && { path: join(folderOf(workFolder, n), 'in', inputFile(each.position)), space };
      await inflateVolume({ path, ...each }, target, {
        signal,
        progress: (done) => progress('unpack', before + done, total),
      });
      before += voxelBytes(each.size);
    }
}

interface RunWish {
  readonly job: Job;
  readonly asked: Asked;
  readonly run: Run;
  readonly n: number;
  readonly runs: number;
}

async function runModel(
  { compute, limits }: WorkerParts,
  { job, asked, run, n, runs }: RunWish,
  { signal, progress, workFolder }: HandlerContext,
): Promise<{ readonly report?: unknown; pathOf(structure: number): string }> {
  const folder = folderOf(workFolder, n);
  if (isEmpty(run)) {
    // No grid for a model: masks without voxels, as the old server made them.
    const path = join(folder, 'empty.gz');
    await writeFile(path, gzipSync(Buffer.alloc(0)));
    return { pathOf: () => path };
  }
  const outputFolder = join(folder, 'out');
  const inputFolder = join(folder, 'in');
  const answer = await compute.run(
    {
      kind: 'segment',
      model: asked.model,
      inputPath: run.length === 1 ? join(inputFolder, inputFile(run[0]!.position)) : inputFolder,
      outputFolder,
      wish: { formats: ['masks'], gridOnly: asked.gridOnly },
      runUID: uidFrom(`isocenter job ${job.id} run ${n}`),
      now: job.createdAt.toISOString(),
    },
    { ...limits, priority: job.priority },
    {
      signal,
      progress: (done, total, step) =>
        progress('model', Math.round(PARTS * (n + shareOf(step, done, total))), PARTS * runs),
    },
  );
  const masks = answer.files.filter((name) => name.endsWith('.u8.gz')).sort();
  if (masks.length !== asked.version.structures.length)
    throw new SegintJobError('no-model', `The model gave ${masks.length} masks for its structures`);
  return { report: answer.report, pathOf: (structure) => join(outputFolder, masks[structure]!) };
}

function shareOf(step: string, done: number, total: number): number {
  if (step.startsWith('write ') || step === 'done') return WRITE_SHARE;
  if (step !== 'network') return READ_SHARE / 2;
  return READ_SHARE + (WRITE_SHARE - READ_SHARE) * (total > 0 ? done / total : 0);
}
