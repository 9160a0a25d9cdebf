/** Results: the files of a job, one of them, one format, or all in a zip whose length is known before it is made. */
import { createHash } from 'node:crypto';
import { api } from '@isocenter/client';
import { storedZip } from '@isocenter/formats';
import type { FastifyInstance } from 'fastify';
import type { Actor } from '../accounts/actor.js';
import type { FileAnswer } from '../http/call.js';
import { implement } from '../http/implement.js';
import type { Job, ResultFile } from '../jobs/job.js';
import type { Services } from '../services/services.js';
import { audited } from './audited.js';
import { visibleJob } from './job-routes.js';
import { fileView } from './job-view.js';
import { csvLater, needsImages, nrrdLater } from './later-formats.js';
import { notFound, RestError } from './rest-error.js';
import { filesOf, formatsMade, storedLayers } from './result-formats.js';
import { sliced } from './sliced.js';

interface Reader {
  readonly actor: Actor;
  readonly requestId: string;
}

export function resultRoutes(app: FastifyInstance, parts: Services): void {
  const { jobs } = parts;

  implement(app, api.results.files, async ({ actor, params }) => {
    const job = await visibleJob(parts, params.job, actor);
    const later = storedLayers(job) ? (['nifti', 'nrrd', 'csv'] as const) : [];
    return { items: job.files.map(fileView), formats: formatsMade(job), laterFormats: [...later] };
  });

  implement(app, api.results.file, async (call) => {
    const job = await resultOf(parts, call.params.job, call.actor);
    const file = job.files.find(({ name }) => name === call.params.file);
    if (!file) throw notFound('file', `GET /isocenter/v1/jobs/${job.id}/files lists them.`);
    return fileAnswer(parts, job, file, call);
  });

  implement(app, api.results.download, async (call) => {
    const { format } = call.query;
    const job = await resultOf(parts, call.params.job, call.actor);
    if (format === 'zip') return zipAnswer(parts, job, job.files, call);
    const made = filesOf(job, format);
    if (made.length === 1) return fileAnswer(parts, job, made[0], call);
    if (made.length > 1) return zipAnswer(parts, job, made, call);
    if (format === 'csv') return fetched(parts, job, call, csvLater(job), format);
    if (format === 'nrrd') return fetched(parts, job, call, await nrrdLater(parts, job, call.signal), format);
    throw needsImages(format);
  });

  implement(app, api.results.erase, async ({ actor, params, query }) => {
    const job = await visibleJob(parts, params.job, actor);
    await jobs.eraseResults(job.id, actor, query.reason);
    return undefined;
  });
}

/** Throws RestError `not-found`, `no-result`. */
async function resultOf(parts: Services, id: string, actor: Actor): Promise<Job> {
  const job = await visibleJob(parts, id, actor);
  if (job.state === 'succeeded' && job.files.length > 0) return job;
  const waits = job.state === 'queued' || job.state === 'running';
  throw new RestError(
    'no-result',
    waits
      ? `The job is ${job.state}: its result is not there yet`
      : job.state === 'succeeded'
        ? 'The results of this job were erased'
        : `The job ${job.state === 'failed' ? 'failed' : 'was cancelled'}: it has no result`,
    {
      where: 'job',
      next: waits
        ? `GET /isocenter/v1/jobs/${id}/events tells when it is done.`
        : `GET /isocenter/v1/jobs/${id} says more.`,
    },
  );
}

function fileAnswer(parts: Services, job: Job, file: ResultFile, reader: Reader): FileAnswer {
  return fetched(parts, job, reader, blobAnswer(parts, file), file.name);
}

function blobAnswer({ blobs }: Services, file: ResultFile): FileAnswer {
  return {
    mediaType: file.mediaType,
    bytes: file.bytes,
    sha256: file.sha256,
    fileName: file.name,
    open: async (range) => (await blobs.open(file.blobId, range)).stream,
  };
}

function zipAnswer(parts: Services, job: Job, files: readonly ResultFile[], reader: Reader): FileAnswer {
  const zip = storedZip(
    files.map((file) => ({
      name: file.name,
      size: file.bytes,
      open: async () => (await parts.blobs.open(file.blobId)).stream,
    })),
  );
  // The zip of the same files is the same bytes, so their hashes name it.
  const sha256 = createHash('sha256')
    .update(files.map((file) => `${file.name} ${file.sha256}\n`).join(''))
    .digest('hex');
  return fetched(
    parts,
    job,
    reader,
    {
      mediaType: 'application/zip',
      bytes: zip.bytes,
      sha256,
      fileName: `${job.id}.zip`,
      open: async (range) => (range ? sliced(zip.open(), range.first, range.last) : zip.open()),
    },
    'zip',
  );
}

function fetched({ audit }: Services, job: Job, reader: Reader, answer: FileAnswer, what: string): FileAnswer {
  const { actor, requestId } = reader;
  const subject = { kind: 'job', id: job.id };
  return audited(audit, { actor, action: 'result.fetched', subject, details: { what }, requestId }, answer);
}
