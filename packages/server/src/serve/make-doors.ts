/** Which routes are to be had on which port: the main one has all, a protocol may have a port of its own beside it. */
import type { Configuration } from '../configuration/configuration.js';
import { createApp } from '../http/app.js';
import { serveAuth } from '../http/auth-routes.js';
import type { HttpContext } from '../http/context.js';
import type { Door } from '../http/listen.js';
import { servePages } from '../http/page-routes.js';
import { serveHealth } from '../operations/health-routes.js';
import type { Metrics } from '../operations/metrics.js';
import { METRICS_DOOR, serveMetrics } from '../operations/metrics-route.js';
import type { Readiness } from '../operations/readiness.js';
import { protocols } from '../protocols/list.js';
import type { Services } from '../services/services.js';

export interface DoorParts {
  readonly context: HttpContext;
  readonly services: Services;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}

export function makeDoors(
  configuration: Configuration,
  { context, services, readiness, metrics }: DoorParts,
): readonly Door[] {
  const { host, port } = configuration;
  const main = createApp(context);
  serveHealth(main, readiness);
  serveMetrics(main, metrics);
  serveAuth(main);
  servePages(main);
  const doors: Door[] = [{ name: 'main', app: main, host, port }];
  for (const protocol of protocols) {
    const wish = configuration.protocols[protocol.name];
    if (wish?.enabled === false) continue;
    if (wish?.mainPort !== false) protocol.serve(main, services);
    if (wish?.port === undefined) continue;
    const own = createApp(context);
    serveHealth(own, readiness);
    protocol.serve(own, services);
    doors.push({ name: protocol.name, app: own, host, port: wish.port });
  }
  return doors;
}

/** Networks from which each door takes clients that cannot log in. */
export function networksOf(configuration: Configuration): Readonly<Record<string, readonly string[]>> {
  const { protocols: wishes, protocolNetworks, metricsNetworks } = configuration;
  return {
    [METRICS_DOOR]: metricsNetworks,
    ...Object.fromEntries(protocols.map(({ name }) => [name, wishes[name]?.networks ?? protocolNetworks])),
  };
}
