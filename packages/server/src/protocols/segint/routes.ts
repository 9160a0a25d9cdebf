/** The addresses of specs/protocols.md 3.2: each with its one method, and 403 for every other. */
import { Readable } from 'node:stream';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Permission } from '@isocenter/client';
import { isFailure } from '@isocenter/volume';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SYSTEM } from '../../accounts/actor.js';
import { describeDefect } from '../../defects/describe-defect.js';
import type { RouteAccess } from '../../http/access.js';
import { hasBody, readBody } from '../../http/body.js';
import { HttpError } from '../../http/http-error.js';
import { goneSignal } from '../../http/request-call.js';
import { mediaTypeOf, type ReceivedUpload, receiveUpload } from '../../http/upload.js';
import type { Job, ResultFile } from '../../jobs/job.js';
import { decodeMessage } from '../../registry/segint/decode-message.js';
import {
  ApiInformationSchema,
  CreditsSchema,
  ModelsCollectionSchema,
  SegmentationFeedbackSchema,
  SegmentationProgressSchema,
  SegmentationTaskSchema,
  SegmentationTelemetrySchema,
  VendorStatusSchema,
} from '../../registry/segint/messages/Model.generated.js';
import type { Services } from '../../services/services.js';
import { submit } from '../../services/submit.js';
import { Catalogue } from './catalogue.js';
import { Deliveries } from './deliveries.js';
import { errorCodeOf, refuseAs, SegintError } from './errors.js';
import { checkedInput } from './input-message.js';
import { SEGINT } from './job-handler.js';
import {
  apiInformation,
  credits,
  JSON_TYPE,
  type Mode,
  POSTED,
  PROTOBUF,
  protobufType,
  send,
  sendText,
  vendorStatus,
  wantsProtobuf,
} from './messages.js';
import type { OutputPlan } from './output-message.js';
import { bytesOf, jsonBytes, jsonResult, withLast } from './result-stream.js';
import { aboutFeedback, aboutTelemetry, feedbackFields, telemetryFields } from './statements.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'] as const;
const MODELS = '/api/v2/Model';
/** Of 100 while a job runs; 100 means that the result can be fetched. */
const MOST_BEFORE_RESULT = 99;

interface ModelParams {
  readonly modelId: string;
}
interface JobParams extends ModelParams {
  readonly id: string;
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

export function segintRoutes(app: FastifyInstance, services: Services): void {
  const { registry, jobs, statements, blobs, audit, configuration } = services;
  const mode: Mode = configuration.values.protocols[SEGINT]?.mode ?? 'compat';
  const refuse = refuseAs(mode);
  const catalogue = new Catalogue(registry);
  const deliveries = new Deliveries();

  /** `handle` answers `method`; all other methods of the address are refused by name. */
  function route(method: 'GET' | 'POST', url: string, permission: Permission | 'public', handle: Handler): void {
    const access: RouteAccess = permission === 'public' ? 'public' : { permission, door: SEGINT };
    // Another product may have the address on this port already.
    if (app.hasRoute({ method, url })) return;
    app.route({
      method,
      url,
      exposeHeadRoute: false,
      config: { access, refuse },
      preHandler: checkAddress,
      handler: handle,
    });
    const others = METHODS.filter((each) => each !== method && !app.hasRoute({ method: each, url }));
    app.route({
      method: others,
      url,
      config: { access: 'public', refuse },
      handler: async (request) => {
        await checkAddress(request);
        throw new SegintError('wrong-method', `This address has the method ${method} and no other`);
      },
    });
  }

  /** The job of this client and model. Throws SegintError `unknown-job`. */
  async function jobOf(request: FastifyRequest): Promise<Job> {
    const { modelId, id } = request.params as JobParams;
    await deliveries.settled(id);
    const job = await jobs.get(id, request.actor);
    const isThere = job?.protocol === SEGINT && job.parameters.modelId === modelId;
    if (isThere && !(job.state === 'succeeded' && job.files.length === 0)) return job;
    throw unknownJob();
  }

  for (const url of ['/ping', '/api/ping'])
    route('GET', url, 'public', async (request, reply) =>
      send(request, reply, mode, ApiInformationSchema, apiInformation(mode, app.context.settings.version)),
    );

  route('GET', '/api/v2/Credits', 'models.read', async (request, reply) =>
    send(request, reply, mode, CreditsSchema, credits()),
  );

  route('GET', '/api/v2/VendorStatus', 'models.read', async (request, reply) => {
    const address = app.context.settings.publicUrl ?? `${request.protocol}://${request.host}`;
    return send(request, reply, mode, VendorStatusSchema, vendorStatus(address.replace(/\/$/, '')));
  });

  route('GET', `${MODELS}/`, 'models.read', async (request, reply) =>
    send(request, reply, mode, ModelsCollectionSchema, await catalogue.models()),
  );
  for (const method of METHODS)
    if (!app.hasRoute({ method, url: MODELS }))
      app.route({
        method,
        url: MODELS,
        exposeHeadRoute: false,
        config: { access: 'public', refuse },
        handler: async (_, reply) => reply.redirect(`${MODELS}/`, 301),
      });

  route('POST', `${MODELS}/:modelId/segmentation`, 'jobs.create', async (request, reply) => {
    const { actor, id: requestId } = request;
    const upload = receive(app, request);
    try {
      const { modelId } = request.params as ModelParams;
      const version = await catalogue.version(modelId);
      const { declaredBytes } = upload;
      const job = await submit(
        services,
        { stream: checkedInput(upload.stream), declaredBytes, actor, signal: goneSignal(reply) },
        (blobId) =>
          jobs.create({
            kind: SEGINT,
            protocol: SEGINT,
            actor,
            model: version.address,
            modelVersionId: version.id,
            inputBlobIds: [blobId],
            parameters: { modelId, strict: mode === 'strict' },
            requestId,
          }),
      );
      const task = { SegmentationID: job.id, StartTime: timestampFromDate(job.createdAt) };
      return send(request, reply, mode, SegmentationTaskSchema, create(SegmentationTaskSchema, task));
    } finally {
      upload.done();
    }
  });

  route('GET', `${MODELS}/:modelId/segmentation/:id`, 'jobs.read', async (request, reply) => {
    const job = await jobOf(request);
    return send(request, reply, mode, SegmentationProgressSchema, progressOf(job));
  });

  route('GET', `${MODELS}/:modelId/segmentation/:id/result`, 'jobs.read', async (request, reply) => {
    const job = await jobOf(request);
    const [file] = job.files;
    if (!file)
      throw new SegintError('no-result', `The segmentation is ${job.state}: there is no result`, {
        next: 'Ask for its progress: 100 means that the result is there.',
      });
    const held = await hold(blobs, file, reply);
    await audit.record({
      actor: request.actor,
      action: 'result.fetched',
      subject: { kind: 'job', id: job.id },
      details: { what: file.name },
      requestId: request.id,
    });
    // Others who may read it, a supervisor for one, do not take it from the client that waits for it.
    const isOwner = job.requestedBy.kind === request.actor.kind && job.requestedBy.id === request.actor.id;
    const last = deliveries.begin(job.id, reply.raw, async () => (isOwner ? eraseFetched(job.id) : undefined));
    const binary = wantsProtobuf(request, mode);
    const { output } = job.report as { readonly output: OutputPlan };
    const total = binary ? file.bytes : jsonBytes(output);
    const bytes = binary ? bytesOf(held) : jsonResult(held, output);
    return reply
      .header('content-type', binary ? protobufType(mode) : JSON_TYPE)
      .header('content-length', total)
      .send(Readable.from(withLast(bytes, total, last), { objectMode: false }));
  });

  async function eraseFetched(id: string): Promise<void> {
    try {
      await jobs.eraseResults(id, SYSTEM, 'fetched by its client');
    } catch (error) {
      // It stays until its retention ends; the client has it, and nothing is owed to anybody.
      app.context.log.warn({ job: id, defect: describeDefect(error) }, 'a fetched result was not erased');
    }
  }

  route('POST', '/api/v2/Feedback/segmentation', 'feedback.write', async (request, reply) => {
    const message = decodeMessage(SegmentationFeedbackSchema, await small(app, request));
    const origin = { actor: request.actor, protocol: SEGINT, ...aboutFeedback(message) };
    await statements.giveFeedback(origin, feedbackFields(message), request.id);
    return sendText(reply, POSTED);
  });

  route('POST', '/api/v2/Telemetry/segmentation', 'telemetry.write', async (request, reply) => {
    const message = decodeMessage(SegmentationTelemetrySchema, await small(app, request));
    const origin = { actor: request.actor, protocol: SEGINT, ...aboutTelemetry(message) };
    await statements.sendTelemetry(origin, telemetryFields(message));
    return sendText(reply, POSTED);
  });
}

/** An id of no letters is no id but a slash too many. */
async function checkAddress({ params }: FastifyRequest): Promise<void> {
  if (Object.values(params as object).includes(''))
    throw new HttpError('not-found', 'There is nothing at this address');
}

function progressOf(job: Job) {
  const done = job.state === 'succeeded' ? 100 : Math.min(MOST_BEFORE_RESULT, Math.floor(job.progress.fraction * 100));
  const failure = job.failure ?? (job.state === 'cancelled' ? CANCELLED : undefined);
  return create(SegmentationProgressSchema, {
    Progress: done,
    ...(failure
      ? { Errors: [failure.message, failure.next].filter(Boolean).join('. '), ErrorCode: errorCodeOf(failure) }
      : {}),
  });
}

/** Path of the result's bytes, which stay until the answer is over, whoever erases them meanwhile. Throws SegintError `unknown-job`. */
async function hold(blobs: Services['blobs'], { blobId }: ResultFile, reply: FastifyReply): Promise<string> {
  try {
    const { path, done } = await blobs.toFile(blobId);
    if (reply.raw.closed) await done();
    else reply.raw.once('close', () => void done().catch(() => undefined));
    return path;
  } catch (error) {
    // Fetched completely by another request since the job was read.
    if (isFailure(error) && error.kind === 'not-found') throw unknownJob();
    throw error;
  }
}

function unknownJob(): SegintError {
  return new SegintError('unknown-job', 'There is no segmentation with this id for this model', {
    where: 'segmentation id',
    next: 'A result is there for one fetch; afterwards its id is unknown.',
  });
}

const CANCELLED = { kind: 'cancelled', message: 'The segmentation was cancelled on the server.', next: undefined };

/** A body to be streamed; an empty one is a message, too. Throws what receiveUpload throws. */
function receive(app: FastifyInstance, request: FastifyRequest): ReceivedUpload {
  if (hasBody(request.raw)) return receiveUpload(app.context, request, { contentTypes: [PROTOBUF] });
  checkType(request);
  return { mediaType: PROTOBUF, declaredBytes: 0, stream: nothing(), done: () => undefined };
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}

/** A message that is read whole. */
async function small(app: FastifyInstance, request: FastifyRequest): Promise<Uint8Array> {
  checkType(request);
  const { limits } = app.context;
  if (!hasBody(request.raw)) return new Uint8Array();
  return readBody(request.raw, { limits, maximumBytes: limits.jsonBytes, deadlineMs: limits.bodyMs });
}

function checkType(request: FastifyRequest): void {
  if (mediaTypeOf(request) !== PROTOBUF)
    throw new HttpError('unsupported-media-type', 'This address does not take bodies of this type', {
      next: `Send ${PROTOBUF}.`,
    });
}
