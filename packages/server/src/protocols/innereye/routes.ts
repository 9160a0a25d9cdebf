/**
 * InnerEye-Inference (specs/protocols.md 1): POST a zip of DICOM, poll, fetch a zipped RTSTRUCT. Protocol of old clients, in
 * particular the InnerEye-Gateway.
 */
import { resolve } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DoorAccess } from '../../http/access.js';
import { hasBody } from '../../http/body.js';
import { openFile } from '../../http/file-answer.js';
import { HttpError } from '../../http/http-error.js';
import { RequestCall } from '../../http/request-call.js';
import { receiveUpload } from '../../http/upload.js';
import type { Job, ResultFile } from '../../jobs/job.js';
import type { Services } from '../../services/services.js';
import { submit } from '../../services/submit.js';
import type { Protocol } from '../protocol.js';
import { Erasures, hasEnded } from './erasures.js';
import { refuse, runError, sendError } from './errors.js';
import { everyMinute } from './every-minute.js';
import { findModel } from './find-model.js';
import { InnerEyeError } from './innereye-error.js';
import {
  EMPTY_TYPE,
  HEALTHY,
  INNEREYE,
  JSON_TYPE,
  newRunId,
  RESULT_NAME,
  RUN_ID_TYPE,
  runParameters,
  ZIP_TYPE,
} from './messages.js';
import { secretOf } from './secret.js';

export const innereye: Protocol = { name: INNEREYE, serve };

function serve(app: FastifyInstance, services: Services): void {
  const { values } = services.configuration;
  const { innereyeSecret, innereyeExperiment, imageDataFolder, home } = values;
  const compat = values.protocols[INNEREYE]?.mode !== 'strict';
  const erasures = new Erasures(services, imageDataFolder === undefined ? undefined : resolve(home, imageDataFolder));
  if (imageDataFolder !== undefined) {
    app.addHook('onReady', () => erasures.open());
    everyMinute(app, () => erasures.sweep());
  }

  const access = (permission: DoorAccess['permission']): DoorAccess => ({
    permission,
    door: INNEREYE,
    key: secretOf,
    // Never open: without a shared secret only our own keys are taken.
    ...(innereyeSecret === undefined ? {} : { secret: innereyeSecret }),
    withoutLogin: false,
  });
  const route = (
    method: 'GET' | 'POST',
    url: string,
    permission: DoorAccess['permission'],
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  ) => {
    // Fastify's own HEAD would open the file and say that a run has no bytes.
    const methods = method === 'GET' ? ['GET', 'HEAD'] : [method];
    app.route({
      method: methods,
      url,
      exposeHeadRoute: false,
      config: { access: access(permission), refuse },
      handler,
    });
    const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : 'OPTIONS, POST';
    app.options(url, { config: { access: 'public', refuse } }, (_request, reply) =>
      empty(reply.header('allow', allow), 200),
    );
  };

  // On the main port this address is our own page, which answers 200 as well.
  if (!app.hasRoute({ method: 'GET', url: '/' }))
    app.get('/', { config: { access: 'public', always: true, refuse } }, (_request, reply) =>
      reply.header('content-type', JSON_TYPE).send(Buffer.from(HEALTHY)),
    );

  route('GET', '/v1/ping', 'jobs.read', async (_request, reply) => empty(reply, 200));

  route('POST', '/v1/model/start/:model', 'jobs.create', async (request, reply) => {
    const { model: wanted } = request.params as { readonly model: string };
    if (wanted === '') throw noAddress();
    // Before the bytes, so that nobody sends them for nothing.
    const { version, modelId } = await findModel(services.registry, wanted, compat);
    const { actor } = request;
    const { signal } = new RequestCall(app.context, request, reply, false);
    // No body is a run that fails, and not a request that does: so it was.
    const upload = hasBody(request.raw)
      ? receiveUpload(app.context, request, { contentTypes: ['*/*'] })
      : { stream: nothing(), declaredBytes: 0, done() {} };
    const runId = newRunId(innereyeExperiment, new Date());
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
      if (job === undefined) await erasures.forget(runId).catch(() => undefined);
    }
    return reply.code(201).header('content-type', RUN_ID_TYPE).send(Buffer.from(runId));
  });

  route('GET', '/v1/model/results/:run', 'jobs.read', async (request, reply) => {
    const { run } = request.params as { readonly run: string };
    if (run === '') throw noAddress();
    const job = await services.jobs.byExternalId(INNEREYE, run, request.actor);
    if (job === undefined) throw unknownRun('There is no run of this id');
    if (!hasEnded(job)) return empty(reply, 202);
    await erasures.settle(job);
    if (job.state !== 'succeeded') return sendError(reply, runError(job));
    const file = job.files.find(({ name }) => name === RESULT_NAME);
    if (file === undefined) throw unknownRun('The results of this run were erased');
    const stream = await openFile(request, reply, answerOf(services, job, file, request), 200);
    return reply.send(stream);
  });
}

/** 202 must have no text: the Gateway takes any for a fatal error. Also HEAD is to say that there are no bytes. */
function empty(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).headers({ 'content-type': EMPTY_TYPE, 'content-length': '0' }).send();
}

function answerOf(
  { audit, blobs }: Services,
  job: Job,
  { bytes, sha256, blobId }: ResultFile,
  request: FastifyRequest,
) {
  return {
    mediaType: ZIP_TYPE,
    bytes,
    sha256,
    open: async (range?: { readonly first: number; readonly last: number }) => {
      const { actor, id: requestId } = request;
      const subject = { kind: 'job', id: job.id };
      await audit.record({ actor, action: 'result.fetched', subject, details: { what: RESULT_NAME }, requestId });
      return (await blobs.open(blobId, range)).stream;
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function unknownRun(message: string): InnerEyeError {
  return new InnerEyeError('unknown-run', message, { next: 'Use the id that the start of the run answered.' });
}

/** With nothing behind its last slash this is another address, which is not there. */
function noAddress(): HttpError {
  return new HttpError('not-found', 'There is nothing at this address');
}
