/** What the HTTP border is given, from the configuration: limits, names, networks, and who counts. */
import type { Logger } from 'pino';
import type { Configuration } from '../configuration/configuration.js';
import type { HttpContext } from '../http/context.js';
import type { Drain } from '../http/drain.js';
import { defaultLimits } from '../http/limits.js';
import { knownHosts } from '../http/listen.js';
import { UploadGate } from '../http/upload-gate.js';
import type { Metrics } from '../operations/metrics.js';
import type { Readiness } from '../operations/readiness.js';
import type { Tracing } from '../operations/tracing.js';
import type { Services } from '../services/services.js';
import { networksOf } from './make-doors.js';
import { MEGABYTE } from './units.js';

export interface BorderParts {
  readonly services: Pick<Services, 'accounts' | 'audit'>;
  readonly version: string;
  readonly log: Logger;
  readonly drain: Drain;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly tracing: Tracing | undefined;
}

export function httpContext(configuration: Configuration, parts: BorderParts): HttpContext {
  const { services, version, log, drain, metrics, readiness, tracing } = parts;
  const { publicUrl, trustedProxies, corsOrigins, host } = configuration;
  const hosts = knownHosts({ hosts: [host], publicUrl, trustedProxies });
  const limits = {
    ...defaultLimits,
    uploadBytes: configuration.maximumUploadMegabytes * MEGABYTE,
    uploads: configuration.uploadsAtOnce,
  };
  return {
    accounts: services.accounts,
    audit: services.audit,
    log,
    limits,
    settings: {
      version,
      trustedProxies,
      networks: networksOf(configuration),
      corsOrigins,
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(hosts === undefined ? {} : { hosts }),
    },
    clock: { now: () => Date.now() },
    uploads: new UploadGate(limits.uploads, (inFlight) => metrics.uploads(inFlight)),
    drain,
    metrics,
    ready: () => readiness.ready(),
    ...(tracing === undefined ? {} : { tracing }),
  };
}
