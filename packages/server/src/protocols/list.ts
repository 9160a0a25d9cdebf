/** Every protocol that this program speaks over HTTP. */
import { serveOpenApi } from '../http/openapi-route.js';
import { restRoutes } from '../rest/rest-routes.js';
import { arterys } from './arterys/routes.js';
import { innereye } from './innereye/routes.js';
import type { Protocol } from './protocol.js';
import { segint } from './segint/segint.js';

const rest: Protocol = {
  name: 'rest',
  serve(app, services) {
    restRoutes(app, services);
    serveOpenApi(app);
  },
};

export const protocols: readonly Protocol[] = [rest, innereye, segint, arterys];
