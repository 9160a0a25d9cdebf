/** A whole server for tests of one or more protocols: all of it real, on a port of loopback (rest/rest-server.suite.ts). */
import { type RestServer, type RestServerOptions, restServer } from '../rest/rest-server.suite.js';
import type { Protocol } from './protocol.js';

export async function protocolServer(
  served: readonly Protocol[],
  options: RestServerOptions = {},
): Promise<RestServer> {
  return restServer({
    ...options,
    settings: {
      networks: Object.fromEntries(served.map(({ name }) => [name, ['127.0.0.0/8', '::1/128']])),
      ...options.settings,
    },
    serve: (app, parts) => {
      for (const protocol of served) protocol.serve(app, parts);
    },
    handlers: (parts) => served.flatMap((protocol) => protocol.handlers?.(parts) ?? []),
  });
}
