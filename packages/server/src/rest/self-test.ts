/**
 * The way of a real study through the live server: a synthetic patient goes in as an upload, a job takes the real queue to a
 * real worker, the answer is compared with what was drawn, its files are read back, and everything is erased.
 */
import { createReadStream } from 'node:fs';
import { describeFailure, isFailure } from '@isocenter/volume';
import type { Actor } from '../accounts/actor.js';
import type { Job } from '../jobs/job.js';
import type { Services } from '../services/services.js';
import { visibleJob } from './job-routes.js';
import { withLayers } from './later-formats.js';
import { TemporaryFile } from './temporary-file.js';

export interface SelfTestResult {
  readonly passed: boolean;
  readonly seconds: number;
  readonly job?: string;
  readonly checks: readonly { readonly check: string; readonly passed: boolean; readonly details?: string }[];
}

/** The door that stands on its jobs. */
const SELF_TEST = 'self-test';
const MODEL = 'ct-basic';
/** Above anything that clients ask for: somebody waits for the answer of one small run. */
const PRIORITY = 100;
const LONGEST_MS = 120_000;
/** What the built-in model must find again of what was drawn; it reaches 0.96 and more. */
const LEAST_DICE = 0.9;
const MUST_BE_FOUND = ['Body', 'Lung_L', 'Lung_R'];

/** Throws what the ports throw before there is a job; what fails later is a check that did not pass. */
export async function selfTest(
  parts: Services,
  actor: Actor,
  signal: AbortSignal,
  longestMs = LONGEST_MS,
): Promise<SelfTestResult> {
  const started = performance.now();
  const checks: { check: string; passed: boolean; details?: string }[] = [];
  const stop = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
  const job = await submit(parts, actor, stop);
  try {
    const ended = await ending(parts, job, actor, stop);
    checks.push({
      check: 'a worker ran the job',
      passed: ended.state === 'succeeded',
      ...(ended.state === 'succeeded' ? {} : { details: ended.failure?.message ?? `it is ${ended.state}` }),
    });
    if (ended.state === 'succeeded') checks.push(...(await compare(parts, ended, actor, stop)));
  } catch (error) {
    const details = isFailure(error) ? describeFailure(error) : 'for a reason that stands in the log';
    checks.push({ check: 'the answer could be looked at', passed: false, details });
  } finally {
    checks.push(await cleanUp(parts, job, actor));
  }
  return {
    passed: checks.every(({ passed }) => passed),
    seconds: (performance.now() - started) / 1000,
    job: job.id,
    checks,
  };
}

async function submit(parts: Services, actor: Actor, signal: AbortSignal): Promise<Job> {
  const { blobs, chores, jobs, registry, temporaryFolder } = parts;
  const version = await registry.version(MODEL);
  const patient = new TemporaryFile(temporaryFolder);
  try {
    await chores.run({ kind: 'phantom', outputPath: patient.path }, signal);
    const blob = await blobs.write(createReadStream(patient.path), { purpose: 'upload', actor, signal });
    return await jobs.create({
      kind: 'segment',
      protocol: SELF_TEST,
      actor,
      model: version?.address ?? MODEL,
      ...(version ? { modelVersionId: version.id } : {}),
      inputBlobIds: [blob.id],
      parameters: { formats: ['rtstruct', 'nifti'] },
      priority: PRIORITY,
      maxAttempts: 1,
    });
  } finally {
    await patient.remove();
  }
}

/** The job when it has ended, or as it is when the time is over. */
async function ending({ jobs }: Services, job: Job, actor: Actor, stop: AbortSignal): Promise<Job> {
  let last = job;
  try {
    for await (const now of jobs.watch(job.id, actor, stop)) last = now;
  } catch (error) {
    if (!stop.aborted) throw error;
  }
  return last;
}

async function compare(
  parts: Services,
  { id }: Job,
  actor: Actor,
  signal: AbortSignal,
): Promise<SelfTestResult['checks']> {
  const job = await visibleJob(parts, id, actor);
  const { exact } = (job.report ?? {}) as { readonly exact?: unknown };
  const contours = job.files.some(({ name, bytes }) => name.endsWith('.rtstruct.dcm') && bytes > 0);
  const { dice } = await withLayers(parts, job, signal, (layerPaths, structures) =>
    parts.chores.run({ kind: 'compare-phantom', layerPaths, structures }, signal),
  );
  const scores = MUST_BE_FOUND.map((name) => ({ name, score: dice[name] ?? 0 }));
  return [
    { check: 'contours came out and read back exactly', passed: contours && exact === true },
    {
      check: 'the structures are those that were drawn',
      passed: scores.every(({ score }) => score >= LEAST_DICE),
      details: scores.map(({ name, score }) => `${name} ${score.toFixed(3)}`).join(', '),
    },
  ];
}

async function cleanUp({ jobs }: Services, { id }: Job, actor: Actor) {
  const check = 'everything was erased';
  const left = await jobs.get(id, actor);
  if (left && (left.state === 'queued' || left.state === 'running')) await jobs.cancel(id, actor, 'self-test gave up');
  else if (left?.state === 'succeeded') await jobs.eraseResults(id, actor, 'self-test');
  const after = await jobs.get(id, actor);
  return { check, passed: after === undefined || after.files.length === 0 };
}
