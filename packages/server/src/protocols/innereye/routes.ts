/**
 * InnerEye-Inference (specs/protocols.md 1): POST a zip of DICOM, poll, fetch a zipped RTSTRUCT. Its clients are scripts with
 * curl, and the InnerEye-Gateway.
 */
import { resolve } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DoorAccess } from '../../http/access.js';
import { HttpError } from '../../http/http-error.js';
import type { Services } from '../../services/services.js';
import type { Protocol } from '../protocol.js';
import { answerResults, sendEmpty } from './answer-results.js';
import { Erasures } from './erasures.js';
import { refuse } from './errors.js';
import { everyMinute } from './every-minute.js';
import { HEALTHY, INNEREYE, JSON_TYPE } from './messages.js';
import { secretOf } from './secret.js';
import { ignoreContentType, startRun } from './start-run.js';

export const innereye: Protocol = { name: INNEREYE, serve };

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

function serve(app: FastifyInstance, services: Services): void {
  const { values } = services.configuration;
  const { innereyeSecret: secret, imageDataFolder, home } = values;
  const compat = values.protocols[INNEREYE]?.mode !== 'strict';
  const erasures = new Erasures(services, imageDataFolder === undefined ? undefined : resolve(home, imageDataFolder));
  if (imageDataFolder !== undefined) {
    app.addHook('onReady', () => erasures.open());
    everyMinute(app, () => erasures.sweep());
  }

  const config = (permission: DoorAccess['permission']) => ({
    access: {
      permission,
      door: INNEREYE,
      key: secretOf,
      // Never open: without a shared secret only our own keys are taken.
      ...(secret === undefined ? {} : { secret }),
      withoutLogin: false,
    },
    refuse,
  });
  const get = (url: string, handler: Handler) => {
    // Fastify's own HEAD would open the file, and say that a run has no bytes.
    app.route({ method: ['GET', 'HEAD'], url, exposeHeadRoute: false, config: config('jobs.read'), handler });
    options(app, url, 'GET, HEAD, OPTIONS');
  };

  // On the main port this address is our own page, which answers 200 as well.
  if (!app.hasRoute({ method: 'GET', url: '/' }))
    app.get('/', { config: { access: 'public', always: true, refuse } }, (_request, reply) =>
      reply.header('content-type', JSON_TYPE).send(Buffer.from(HEALTHY)),
    );

  get('/v1/ping', async (_request, reply) => sendEmpty(reply, 200));

  app.post(
    '/v1/model/start/:model',
    { config: config('jobs.create'), onRequest: ignoreContentType },
    async (request, reply) => startRun(app, { services, erasures, compat }, request, reply, idOf(request)),
  );
  options(app, '/v1/model/start/:model', 'OPTIONS, POST');

  get('/v1/model/results/:run', async (request, reply) =>
    answerResults(services, erasures, request, reply, idOf(request)),
  );
}

function options(app: FastifyInstance, url: string, allow: string): void {
  app.options(url, { config: { access: 'public', refuse } }, (_request, reply) =>
    sendEmpty(reply.header('allow', allow), 200),
  );
}

/** With nothing behind its last slash it is another address, which is not there. */
function idOf({ params }: FastifyRequest): string {
  const [id] = Object.values(params as Readonly<Record<string, string>>);
  if (id) return id;
  throw new HttpError('not-found', 'There is nothing at this address');
}
