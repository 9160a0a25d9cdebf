/**
 * A server from its configuration: core → jobs and worker → HTTP → sweepers; `stop` goes the other way. This is the one
 * place where everything is put together.
 */
import type { Logger } from 'pino';
import { openAccounts } from '../accounts/open-accounts.js';
import { newLocalToken } from '../accounts/tokens.js';
import { Chores } from '../chores/chores.js';
import type { ReadConfiguration } from '../configuration/configuration.js';
import { Statements } from '../feedback/statements.js';
import type { HttpContext } from '../http/context.js';
import { Drain } from '../http/drain.js';
import { defaultLimits } from '../http/limits.js';
import { knownHosts, listen, type OpenDoor } from '../http/listen.js';
import { UploadGate } from '../http/upload-gate.js';
import { openJobs } from '../jobs/open-jobs.js';
import { startWorker } from '../jobs/worker.js';
import { auditFigures, blobFigures } from '../operations/database-figures.js';
import { Metrics } from '../operations/metrics.js';
import { Readiness } from '../operations/readiness.js';
import { loadTracing } from '../operations/tracing.js';
import type { RestParts } from '../rest/parts.js';
import { openState, type StateEvent } from '../state/open-state.js';
import { Studies } from '../studies/studies.js';
import { removeAddress, writeAddress } from './address-file.js';
import { emptyFolder } from './empty-folder.js';
import { Ending } from './ending.js';
import { makeDoors, networksOf } from './make-doors.js';
import { openCore } from './open-core.js';
import { readinessChecks } from './readiness-checks.js';
import { regularly } from './regularly.js';
import { signInProvider } from './sign-in-provider.js';
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

const MEGABYTE = 1024 * 1024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Throws StateError, BlobError, HttpError, AccountError …; after an error nothing runs and nothing is locked. */
export async function startServer(configured: ReadConfiguration, options: ServerOptions): Promise<RunningServer> {
  const configuration = configured.values;
  const { log, version } = options;
  const { home, databaseUrl } = configuration;
  const graceMs = configuration.graceSeconds * 1000;
  const ending = new Ending();
  try {
    const state = await openState({
      home,
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      applicationName: 'isocenter-server',
      onEvent: (event, error) => onState(event, error, options),
    });
    const core = await openCore(configuration, state);
    ending.add(() => core.close());
    const { audit, blobs, compute, registry, folders } = core;
    await emptyFolder(folders.temporary);
    const { db, url } = state;
    const localToken = newLocalToken();
    const provider = signInProvider(configuration);
    const accounts = openAccounts({ db, audit, localToken, ...(provider === undefined ? {} : { provider }) });
    ending.add(() => accounts.close());
    const chores = new Chores();
    ending.add(async () => chores.close());
    const jobs = await openJobs({ db, url, blobs, audit, log, ...retention(configuration) });
    ending.add(() => jobs.close());
    const tracing = configuration.tracing ? await loadTracing(version) : undefined;
    if (configuration.workers > 0) {
      const worker = await startWorker(workerOptions(core, log, tracing));
      ending.add(() => worker.stop(graceMs));
    }
    const studies = new Studies({ db, blobs, audit, chores, keepMs: configuration.studyMinutes * MINUTE });
    const parts: RestParts = {
      accounts,
      audit,
      blobs,
      chores,
      compute,
      configuration: configured,
      db,
      jobs,
      registry,
      statements: new Statements(db, audit),
      studies,
      temporaryFolder: folders.temporary,
    };
    const drain = new Drain();
    const readiness = new Readiness(drain, readinessChecks(core));
    const metrics = new Metrics({
      jobs: () => jobs.statistics(),
      workers: () => jobs.workers(),
      compute: () => compute.models(),
      blobs: () => blobFigures(db),
      audit: () => auditFigures(db),
    });
    const limits = {
      ...defaultLimits,
      uploadBytes: configuration.maximumUploadMegabytes * MEGABYTE,
      uploads: configuration.uploadsAtOnce,
    };
    const { publicUrl, trustedProxies, host } = configuration;
    const hosts = knownHosts({ hosts: [host], publicUrl, trustedProxies });
    const context: HttpContext = {
      accounts,
      audit,
      log,
      limits,
      settings: {
        version,
        trustedProxies,
        networks: networksOf(configuration),
        corsOrigins: configuration.corsOrigins,
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
    const listening = await listen(context, makeDoors(configuration, { context, parts, readiness, metrics }));
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
    const sweeper = regularly(MINUTE, 'sweep', log, async () => {
      await jobs.sweep();
      await studies.sweep();
      await accounts.sweep();
      await blobs.sweep();
    });
    ending.add(() => sweeper.stop());
    const link = await accounts.setupLink();
    readiness.started();
    return {
      doors: listening.doors,
      setupLink: link && `${publicUrl ?? main.url}/setup?token=${encodeURIComponent(link.token)}`,
      stop: () => ending.end(),
    };
  } catch (error) {
    await ending.end();
    throw error;
  }
}

function retention({ keepFailedInputsMinutes, resultHours }: ReadConfiguration['values']) {
  return {
    keepFailedInputsMs: keepFailedInputsMinutes * MINUTE,
    ...(resultHours === undefined ? {} : { resultRetentionMs: { rest: resultHours * HOUR } }),
  };
}

function onState(event: StateEvent, error: unknown, { log, onLost }: ServerOptions): void {
  if (event === 'up') log.info({ event }, 'database is back');
  else log.error({ event, error }, 'database');
  if (event === 'lost') onLost();
}
