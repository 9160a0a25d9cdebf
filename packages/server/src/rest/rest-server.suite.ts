/**
 * The REST API for tests, all of it real: embedded PostgreSQL, blobs on a disk, registry with the shipped models, accounts with
 * keys of every role, jobs with a worker, compute children, and the HTTP app on a port of loopback.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type Client, createClient, type Role, roles } from '@isocenter/client';
import { shippedModels } from '@isocenter/engine';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { SYSTEM } from '../accounts/actor.js';
import { openAccounts } from '../accounts/open-accounts.js';
import { openAuditLog } from '../audit/open-audit-log.js';
import { DiskSpace } from '../blobs/disk-space.js';
import { openFileStore } from '../blobs/file-store.js';
import { openBlobs } from '../blobs/open-blobs.js';
import { Chores } from '../chores/chores.js';
import { createComputePool } from '../compute/create-compute-pool.js';
import { readConfiguration } from '../configuration/read-configuration.js';
import { Statements } from '../feedback/statements.js';
import { createApp } from '../http/app.js';
import { serveAuth } from '../http/auth-routes.js';
import type { HttpContext, HttpSettings } from '../http/context.js';
import { Drain } from '../http/drain.js';
import { defaultLimits, type HttpLimits } from '../http/limits.js';
import { serveOpenApi } from '../http/openapi-route.js';
import { servePages } from '../http/page-routes.js';
import { UploadGate } from '../http/upload-gate.js';
import type { JobHandler } from '../jobs/job-handler.js';
import { openJobs } from '../jobs/open-jobs.js';
import { predictHandler } from '../jobs/predict-handler.js';
import { segmentHandler } from '../jobs/segment-handler.js';
import { startWorker, type Worker } from '../jobs/worker.js';
import { serveHealth } from '../operations/health-routes.js';
import { Metrics } from '../operations/metrics.js';
import { serveMetrics } from '../operations/metrics-route.js';
import { Readiness } from '../operations/readiness.js';
import type { WorkerParts } from '../protocols/protocol.js';
import { openRegistry } from '../registry/open-registry.js';
import type { Services } from '../services/services.js';
import { testDatabase } from '../state/test-database.suite.js';
import { Studies } from '../studies/studies.js';
import { restRoutes } from './rest-routes.js';

export interface RestServer {
  readonly url: string;
  readonly app: FastifyInstance;
  readonly parts: Services;
  readonly context: HttpContext;
  readonly folder: string;
  /** API keys: one for each role. */
  readonly keys: Readonly<Record<Role, string>>;
  /** Lines of the log. */
  readonly logged: readonly string[];
  client(role: Role): Client;
  /** A further key of its own owner. */
  key(role: Role, name: string): Promise<string>;
  /** With a key (by role) or, without, as nobody. */
  request(role: Role | string | undefined, method: string, path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export interface RestServerOptions {
  /** Jobs at once; 0: nobody takes them. Default 1. */
  readonly slots?: number;
  readonly limits?: Partial<HttpLimits>;
  readonly settings?: Partial<HttpSettings>;
  readonly studyKeepMs?: number;
  /** Further routes on the same port, and what their jobs need of the worker. */
  readonly serve?: (app: FastifyInstance, parts: Services) => void;
  readonly handlers?: (parts: WorkerParts & Pick<Services, 'registry'>) => readonly JobHandler[];
  /** Free bytes of the work folder's disk, as the worker is told. Default: more than enough. */
  readonly workBytes?: () => number;
  /** Settings as on the command line, e.g. `protocols` as JSON. */
  readonly flags?: Readonly<Record<string, string>>;
}

export async function restServer(options: RestServerOptions = {}): Promise<RestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-rest-'));
  const database = await testDatabase();
  const { db, url: databaseUrl } = database;
  const audit = openAuditLog({ db });
  const store = await openFileStore(join(folder, 'blobs'));
  const blobs = await openBlobs({ db, store, audit, reserveBytes: 0, copyFolder: join(folder, 'copies') });
  const registry = await openRegistry({ db, blobs, audit, cacheFolder: join(folder, 'models'), shippedModels });
  const compute = createComputePool({ workFolder: join(folder, 'compute'), maximumChildren: 1, threads: 1 });
  const accounts = openAccounts({ db, audit });
  const jobs = await openJobs({ db, url: databaseUrl, blobs, audit, keepFailedInputsMs: 60_000 });
  const chores = new Chores();
  const temporaryFolder = join(folder, 'temporary');
  await mkdir(temporaryFolder);
  const configuration = readConfiguration({ environment: {}, flags: { ...options.flags, home: folder } });
  const studies = new Studies({ db, blobs, audit, chores, keepMs: options.studyKeepMs ?? 3_600_000 });
  const statements = new Statements(db, audit);
  const parts: Services = {
    accounts,
    audit,
    blobs,
    chores,
    compute,
    configuration,
    db,
    jobs,
    registry,
    statements,
    studies,
    temporaryFolder,
    temporarySpace: new DiskSpace(async () => Number.MAX_SAFE_INTEGER, 0),
  };
  const { slots = 1 } = options;
  const workSpace = new DiskSpace(async () => options.workBytes?.() ?? Number.MAX_SAFE_INTEGER, 0);
  let worker: Worker | undefined;
  if (slots > 0)
    worker = await startWorker({
      db,
      url: databaseUrl,
      blobs,
      audit,
      slots,
      handlers: [
        segmentHandler({ registry, blobs, compute }),
        predictHandler({ registry, blobs, compute }),
        ...(options.handlers?.({ registry, blobs, compute, workSpace }) ?? []),
      ],
      workFolder: join(folder, 'work'),
      keepFailedInputsMs: 60_000,
    });
  const logged: string[] = [];
  const sink = new PassThrough();
  sink.on('data', (line: Buffer) => logged.push(line.toString()));
  const limits = { ...defaultLimits, ...options.limits };
  const context: HttpContext = {
    accounts,
    audit,
    log: pino({ level: 'debug' }, sink),
    limits,
    settings: { version: '0.1.0', trustedProxies: [], networks: {}, corsOrigins: [], ...options.settings },
    clock: { now: () => Date.now() },
    uploads: new UploadGate(limits.uploads),
    drain: new Drain(),
  };
  const app = createApp(context);
  const readiness = new Readiness(context.drain, []);
  readiness.started();
  servePages(app);
  serveAuth(app);
  serveHealth(app, readiness);
  serveMetrics(app, new Metrics());
  serveOpenApi(app);
  restRoutes(app, parts);
  options.serve?.(app, parts);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  const key = async (role: Role, name: string): Promise<string> => {
    // A key acts for itself, so two keys are two owners.
    return (await accounts.createKey({ name, role }, SYSTEM)).key;
  };
  const keys = {} as Record<Role, string>;
  for (const role of roles) keys[role] = await key(role, `key of a ${role}`);
  const request: RestServer['request'] = (role, method, path, init = {}) => {
    const headers = new Headers(init.headers);
    if (role !== undefined) headers.set('authorization', `Bearer ${keys[role as Role] ?? role}`);
    return fetch(`${url}${path}`, { ...init, method, headers });
  };
  return {
    url,
    app,
    parts,
    context,
    folder,
    keys,
    logged,
    request,
    key,
    client: (role) => createClient({ url, key: keys[role], reconnectMs: 50 }),
    async close() {
      context.drain.start();
      await app.close();
      await worker?.stop(1000);
      chores.close();
      await compute.close();
      await jobs.close();
      await accounts.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The job once it has ended; fails after a minute. */
export async function ended(client: Client, job: string) {
  for await (const event of client.jobs.events({ job }, { signal: AbortSignal.timeout(60_000) }))
    if (!['queued', 'running'].includes(event.state)) return client.jobs.get({ job });
  throw new Error('the stream of events ended before its job did');
}
