/** POST /v1/model/start: from the bytes of a zip to a durable job, answered with the id of the run. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasBody } from '../../http/body.js';
import { RequestCall } from '../../http/request-call.js';
import { receiveUpload } from '../../http/upload.js';
import type { Job } from '../../jobs/job.js';
import type { Services } from '../../services/services.js';
import { submit } from '../../services/submit.js';
import type { Erasures } from './erasures.js';
import { findModel } from './find-model.js';
import { INNEREYE, newRunId, RUN_ID_TYPE, runParameters, ZIP_TYPE } from './messages.js';

export interface StartParts {
  readonly services: Services;
  readonly erasures: Erasures;
  readonly compat: boolean;
}

/** Throws InnerEyeError, HttpError, BlobError, JobError. */
export async function startRun(
  app: FastifyInstance,
  { services, erasures, compat }: StartParts,
  request: FastifyRequest,
  reply: FastifyReply,
  wanted: string,
): Promise<FastifyReply> {
  // Before the bytes, so that nobody sends them for nothing.
  const { version, modelId } = await findModel(services.registry, wanted, compat);
  const { actor } = request;
  const { signal } = new RequestCall(app.context, request, reply, false);
  const runId = newRunId(services.configuration.values.innereyeExperiment, new Date());
  // No body is a run that fails, and not a request that does: so it was.
  const upload = hasBody(request.raw)
    ? receiveUpload(app.context, request, { contentTypes: [ZIP_TYPE] })
    : { stream: nothing(), declaredBytes: 0, done() {} };
  let job: Job | undefined;
  try {
    const { stream, declaredBytes } = upload;
    await erasures.expect(runId);
    job = await submit(services, { stream, declaredBytes, actor, signal }, (blobId) =>
      services.jobs.create({
        kind: 'segment',
        protocol: INNEREYE,
        externalId: runId,
        actor,
        model: version.address,
        modelVersionId: version.id,
        inputBlobIds: [blobId],
        parameters: runParameters({ compat, ...(modelId === undefined ? {} : { modelId }) }),
        requestId: request.id,
      }),
    );
  } finally {
    upload.done();
    if (job === undefined) await erasures.forget(runId);
  }
  return reply.code(201).header('content-type', RUN_ID_TYPE).send(Buffer.from(runId));
}

/** For the route's `onRequest`: Fastify would refuse a type that is empty or none at all; upstream never looked. */
export function ignoreContentType({ raw }: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  raw.headers['content-type'] = ZIP_TYPE;
  done();
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
