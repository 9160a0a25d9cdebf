/** GET /isocenter/v1/openapi.json: the document of what is implemented on this port, made once. */
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi.js';

export const OPENAPI_PATH = '/isocenter/v1/openapi.json';

export function serveOpenApi(app: FastifyInstance): void {
  let text: string | undefined;
  app.get(OPENAPI_PATH, { config: { access: 'public' } }, (_request, reply) => {
    text ??= JSON.stringify(openApiDocument(app.operations, app.context.settings.version));
    void reply.header('content-type', 'application/json; charset=utf-8').send(text);
  });
}
