/** Jobs: created from an upload or a kept study, listed, watched, steered. */
import { createHash } from 'node:crypto';
import { api, LONGEST_IDEMPOTENCY_KEY } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import { type Actor, may } from '../accounts/actor.js';
import type { PredictWish, SegmentWish } from '../compute/compute-pool.js';
import type { Call, Upload } from '../http/call.js';
import { implement } from '../http/implement.js';
import type { Job } from '../jobs/job.js';
import type { ModelVersion } from '../registry/model.js';
import type { Services } from '../services/services.js';
import { submit } from '../services/submit.js';
import { jobSummary, jobView, STUDY_PARAMETER } from './job-view.js';
import { pageView } from './page-view.js';
import { notFound, RestError } from './rest-error.js';

/** The door that stands on jobs of this API. */
export const REST = 'rest';

/** What the query of an upload and the body of a job from a study have in common. */
type JobWish = Omit<SegmentWish, 'formats' | 'inset'> & {
  readonly model: string;
  readonly formats?: readonly string[];
  readonly inset?: boolean;
  readonly priority?: number;
  readonly maxAttempts?: number;
};

export function jobRoutes(app: FastifyInstance, parts: Services): void {
  const { jobs, studies } = parts;

  implement(app, api.jobs.create, async (call) => {
    const { actor, query, body, signal } = call;
    // Everything that can be refused is refused before the bytes come.
    const version = await usableModel(parts, query.model);
    checkPriority(actor, query.priority);
    const idempotencyKey = idempotencyKeyOf(call);
    checkKind(body);
    const { stream, declaredBytes } = body;
    const job = await submit(parts, { stream, declaredBytes, actor, signal }, (blobId) =>
      jobs.create({ ...newJob(call, version, query), inputBlobIds: [blobId], ...idempotencyKey }),
    );
    call.header('location', `/isocenter/v1/jobs/${job.id}`);
    return jobSummary(job);
  });

  implement(app, api.jobs.createFromStudy, async (call) => {
    const { actor, body, params } = call;
    const study = await studies.get(params.study, actor);
    const version = await usableModel(parts, body.model);
    checkPriority(actor, body.priority);
    const wanted = newJob(call, version, body);
    const job = await jobs.create(
      {
        ...wanted,
        parameters: { ...wanted.parameters, [STUDY_PARAMETER]: study.id },
        inputBlobIds: [study.blobId],
        ...idempotencyKeyOf(call),
      },
      (executor, id) => studies.use(executor, study.id, id),
    );
    call.header('location', `/isocenter/v1/jobs/${job.id}`);
    return jobSummary(job);
  });

  implement(app, api.jobs.list, async ({ actor, query }) => {
    const { cursor, limit, createdAfter, createdBefore, ...filter } = query;
    const page = await jobs.list(
      {
        ...filter,
        ...(createdAfter === undefined ? {} : { createdAfter: new Date(createdAfter) }),
        ...(createdBefore === undefined ? {} : { createdBefore: new Date(createdBefore) }),
      },
      { limit, cursor },
      actor,
    );
    return pageView(page.jobs, page.next, jobSummary);
  });

  implement(app, api.jobs.get, async ({ actor, params }) => jobView(await visibleJob(parts, params.job, actor)));

  implement(app, api.jobs.events, async ({ actor, params, signal }) => {
    // Asked first, so that a job that is not there is a 404 and not an event.
    await visibleJob(parts, params.job, actor);
    return summaries(jobs.watch(params.job, actor, signal));
  });

  implement(app, api.jobs.cancel, async ({ actor, params, query }) => {
    await visibleJob(parts, params.job, actor);
    return jobSummary(await jobs.cancel(params.job, actor, query.reason));
  });

  implement(app, api.jobs.retry, async ({ actor, params }) => {
    await visibleJob(parts, params.job, actor);
    return jobSummary(await jobs.retry(params.job, actor));
  });

  implement(app, api.jobs.setPriority, async ({ actor, params, body }) => {
    await visibleJob(parts, params.job, actor);
    return jobSummary(await jobs.setPriority(params.job, body.priority, actor, body.reason));
  });
}

/** Throws RestError `not-found`, also for a job that the actor may not see: ids cannot be probed. */
export async function visibleJob({ jobs }: Pick<Services, 'jobs'>, id: string, actor: Actor): Promise<Job> {
  const job = await jobs.get(id, actor);
  if (!job) throw notFound('job');
  return job;
}

/** Throws RestError `not-found`, `model-not-usable`. */
export async function usableModel({ registry }: Pick<Services, 'registry'>, wanted: string): Promise<ModelVersion> {
  const version = await registry.version(wanted);
  if (!version) throw notFound('model', 'GET /isocenter/v1/models lists them.');
  const why =
    version.problem ?? (version.takes === 'features' ? 'It takes a vector of numbers, not images' : undefined);
  if (why === undefined) return version;
  throw new RestError('model-not-usable', `The model ${version.address} cannot be asked about a study: ${why}`, {
    where: 'model',
    next: 'Choose another model.',
  });
}

/** Throws RestError `bad-value`. */
function newJob(call: Pick<Call, 'actor' | 'requestId'>, version: ModelVersion, wanted: JobWish) {
  const { model: _, priority, maxAttempts, ...wish } = wanted;
  return {
    ...(version.kind === 'segmentation' ? segmentation(wish) : prediction(version, wish)),
    protocol: REST,
    actor: call.actor,
    model: version.address,
    modelVersionId: version.id,
    ...(priority === undefined ? {} : { priority }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    requestId: call.requestId,
  };
}

type AnswerWish = Omit<JobWish, 'model' | 'priority' | 'maxAttempts'>;

function segmentation({ formats = ['default'], inset, ...rest }: AnswerWish) {
  if (formats.includes('json'))
    throw wrongFormat('A model that segments writes no json', 'formats=csv has its volumes.');
  // The label map is always kept: from it further formats are made when the images are gone.
  const wish: SegmentWish = {
    formats: [...new Set([...formats, 'nifti'])],
    ...rest,
    ...(inset === undefined ? {} : { inset }),
  };
  return { kind: 'segment', parameters: { ...wish } };
}

/** Wishes about contours and objects have no meaning here; one that would be left unheard is refused. */
function prediction(
  version: ModelVersion,
  { formats, series, ignoreDamaged, longestRun, ties, ...others }: AnswerWish,
) {
  const wrong = formats?.find((format) => !isPredictFormat(format));
  const unheard = Object.entries(others).find(([, value]) => value !== undefined)?.[0];
  if (wrong !== undefined || unheard !== undefined)
    throw wrongFormat(
      `The model ${version.address} answers numbers: ${wrong === undefined ? unheard : `the format ${wrong}`} is for models that segment`,
      'Leave it out; the formats of such a model are json and csv.',
    );
  const wish: PredictWish = {
    formats: formats?.filter(isPredictFormat) ?? ['json', 'csv'],
    ...(series === undefined ? {} : { series }),
    ...(ignoreDamaged === undefined ? {} : { ignoreDamaged }),
    ...(longestRun === undefined ? {} : { longestRun }),
    ...(ties === undefined ? {} : { ties }),
  };
  return { kind: 'predict', parameters: { ...wish } };
}

function isPredictFormat(format: string): format is 'json' | 'csv' {
  return format === 'json' || format === 'csv';
}

function wrongFormat(message: string, next: string): RestError {
  return new RestError('bad-value', message, { where: 'formats', next });
}

/** Raising is for who may order the queue; anybody may step back. */
function checkPriority(actor: Actor, priority: number | undefined): void {
  if (priority === undefined || priority <= 0 || may(actor, 'jobs.prioritise')) return;
  throw new RestError('priority-not-allowed', 'A priority above 0 needs the permission jobs.prioritise', {
    where: 'priority',
    next: 'Leave it out, or ask somebody who may.',
  });
}

function checkKind({ mediaType }: Upload): void {
  if (mediaType !== 'application/json') return;
  throw new RestError('bad-form', 'This address takes the bytes of a study, not JSON', {
    where: 'content-type',
    next: 'For a study that was uploaded before: POST /isocenter/v1/studies/{study}/jobs.',
  });
}

function idempotencyKeyOf({ headers }: Pick<Call, 'headers'>): { readonly idempotencyKey?: string } {
  const given = headers['idempotency-key'];
  if (given === undefined) return {};
  if (typeof given === 'string' && /^[\x21-\x7e]+$/.test(given) && given.length <= LONGEST_IDEMPOTENCY_KEY)
    // Kept as a hash: it only has to be recognised, and clients make theirs of names and numbers of patients.
    return { idempotencyKey: createHash('sha256').update(given).digest('hex') };
  throw new RestError('bad-form', `An Idempotency-Key has 1 to ${LONGEST_IDEMPOTENCY_KEY} visible ASCII characters`, {
    where: 'idempotency-key',
  });
}

async function* summaries(jobs: AsyncIterable<Job>) {
  for await (const job of jobs) yield jobSummary(job);
}
