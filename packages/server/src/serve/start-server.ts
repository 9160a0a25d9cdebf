/**
 * A server from its configuration: state → core → services and worker → doors → sweeper; `stop` goes the other way. This is
 * the one place where everything is put together.
 */
import type { Logger } from 'pino';
import { newLocalToken } from '../accounts/tokens.js';
import type { ReadConfiguration } from '../configuration/configuration.js';
import { Drain } from '../http/drain.js';
import { listen, type OpenDoor } from '../http/listen.js';
import { startWorker } from '../jobs/worker.js';
import { auditFigures, blobFigures } from '../operations/database-figures.js';
import { Metrics } from '../operations/metrics.js';
import { Readiness } from '../operations/readiness.js';
import { loadTracing } from '../operations/tracing.js';
import type { Services } from '../services/services.js';
import { openState, type StateEvent } from '../state/open-state.js';
import { removeAddress, writeAddress } from './address-file.js';
import { emptyFolder } from './empty-folder.js';
import { Ending } from './ending.js';
import { httpContext } from './http-context.js';
import { makeDoors } from './make-doors.js';
import { openCore } from './open-core.js';
import { openServices } from './open-services.js';
import { readinessChecks } from './readiness-checks.js';
import { regularly } from './regularly.js';
import { MINUTE_MS } from './units.js';
import { workerOptions } from './worker-options.js';

export interface ServerOptions {
  readonly version: string;
  readonly log: Logger;
  /** The data directory was taken by another server while this process was suspended: end at once. */
  readonly onLost: () => void;
}

export interface RunningServer {
  readonly doors: readonly OpenDoor[];
  /** Address of the one-time page on which the first administrator is made; undefined when there is one. */
  readonly setupLink: string | undefined;
  /** No new work; waits for requests and runs up to the grace period; gives running jobs back; ends everything. */
  stop(): Promise<void>;
}

/** Throws StateError, BlobError, HttpError, AccountError …; after an error nothing runs and nothing is locked. */
export async function startServer(configured: ReadConfiguration, options: ServerOptions): Promise<RunningServer> {
  const ending = new Ending();
  try {
    return await start(configured, options, ending);
  } catch (error) {
    await ending.end();
    throw error;
  }
}

async function start(configured: ReadConfiguration, options: ServerOptions, ending: Ending): Promise<RunningServer> {
  const configuration = configured.values;
  const { log, version } = options;
  const { home, databaseUrl, publicUrl } = configuration;
  const graceMs = configuration.graceSeconds * 1000;
  const state = await openState({
    home,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    applicationName: 'isocenter-server',
    onEvent: (event, error) => onState(event, error, options),
  });
  const core = await openCore(configuration, state);
  ending.add(() => core.close());
  await emptyFolder(core.folders.temporary);
  const localToken = newLocalToken();
  const services = await openServices(core, ending, { configured, log, localToken });
  const tracing = configuration.tracing ? await loadTracing(version) : undefined;
  if (configuration.workers > 0) {
    const worker = await startWorker(workerOptions(core, log, tracing));
    ending.add(() => worker.stop(graceMs));
  }

  const drain = new Drain();
  const readiness = new Readiness(drain, readinessChecks(core));
  const metrics = metricsOf(services);
  const context = httpContext(configuration, { services, version, log, drain, metrics, readiness, tracing });
  const listening = await listen(context, makeDoors(configuration, { context, services, readiness, metrics }));
  ending.add(async () => {
    await listening.stop(graceMs, configuration.noticeSeconds * 1000);
  });
  const [main] = listening.doors;
  await writeAddress(home, {
    url: main.url,
    token: localToken,
    pid: process.pid,
    startedAt: new Date().toISOString(),
  });
  ending.add(() => removeAddress(home));

  const sweeper = regularly(MINUTE_MS, 'sweep', log, async () => {
    for (const part of [services.jobs, services.studies, services.accounts, services.blobs]) await part.sweep();
  });
  ending.add(() => sweeper.stop());
  const link = await services.accounts.setupLink();
  readiness.started();
  return {
    doors: listening.doors,
    setupLink: link && `${publicUrl ?? main.url}/setup?token=${encodeURIComponent(link.token)}`,
    stop: () => ending.end(),
  };
}

function metricsOf({ jobs, compute, db }: Services): Metrics {
  return new Metrics({
    jobs: () => jobs.statistics(),
    workers: () => jobs.workers(),
    compute: () => compute.models(),
    blobs: () => blobFigures(db),
    audit: () => auditFigures(db),
  });
}

function onState(event: StateEvent, error: unknown, { log, onLost }: ServerOptions): void {
  if (event === 'up') log.info({ event }, 'database is back');
  else log.error({ event, error }, 'database');
  if (event === 'lost') onLost();
}
