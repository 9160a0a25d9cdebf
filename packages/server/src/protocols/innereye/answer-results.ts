/** GET and HEAD /v1/model/results: 202 while the run works, then its zip or why there is none. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FileAnswer } from '../../http/call.js';
import { openFile } from '../../http/file-answer.js';
import type { Job, ResultFile } from '../../jobs/job.js';
import type { Services } from '../../services/services.js';
import { type Erasures, hasEnded } from './erasures.js';
import { runError, sendError } from './errors.js';
import { InnerEyeError } from './innereye-error.js';
import { EMPTY_TYPE, INNEREYE, RESULT_NAME, ZIP_TYPE } from './messages.js';

/** Throws InnerEyeError `unknown-run`, HttpError `range`, BlobError. */
export async function answerResults(
  services: Services,
  erasures: Erasures,
  request: FastifyRequest,
  reply: FastifyReply,
  runId: string,
): Promise<FastifyReply> {
  const job = await services.jobs.byExternalId(INNEREYE, runId, request.actor);
  if (job === undefined) throw unknownRun('There is no run of this id');
  if (!hasEnded(job)) return sendEmpty(reply, 202);
  // So that a client that knows the end may know the images to be gone.
  await erasures.settle(job);
  if (job.state !== 'succeeded') return sendError(reply, runError(job));
  const file = job.files.find(({ name }) => name === RESULT_NAME);
  if (file === undefined) throw unknownRun('The results of this run were erased');
  return reply.send(await openFile(request, reply, answerOf(services, job, file, request), 200));
}

/** 202 must have no text: the Gateway takes any for a fatal error. Also HEAD is to say that there are no bytes. */
export function sendEmpty(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).headers({ 'content-type': EMPTY_TYPE, 'content-length': '0' }).send();
}

/** Each fetch of the bytes stands in the audit log; HEAD opens nothing. */
function answerOf(
  { audit, blobs }: Services,
  job: Job,
  { bytes, sha256, blobId }: ResultFile,
  { actor, id: requestId }: FastifyRequest,
): FileAnswer {
  return {
    mediaType: ZIP_TYPE,
    bytes,
    sha256,
    open: async (range) => {
      const subject = { kind: 'job', id: job.id };
      await audit.record({ actor, action: 'result.fetched', subject, details: { what: RESULT_NAME }, requestId });
      return (await blobs.open(blobId, range)).stream;
    },
  };
}

function unknownRun(message: string): InnerEyeError {
  return new InnerEyeError('unknown-run', message, { next: 'Use the id that the start of the run answered.' });
}
