/** What tests of jobs need: a database, blobs on a disk, jobs, workers in this process and as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Actor } from '../accounts/actor.js';
import { openAuditLog } from '../audit/open-audit-log.js';
import type { Blobs } from '../blobs/blobs.js';
import { openFileStore } from '../blobs/file-store.js';
import { openBlobs } from '../blobs/open-blobs.js';
import { createDatabase, createPool } from '../state/connect.js';
import type { Database } from '../state/database.js';
import { testDatabase } from '../state/test-database.suite.js';
import type { Job, NewJob } from './job.js';
import { hasEnded } from './job-watch.js';
import { type JobsOptions, type OpenJobs, openJobs } from './open-jobs.js';
import { fakeHandler } from './testing/fake-handler.mjs';
import { startWorker, type Worker, type WorkerOptions } from './worker.js';

export const ADMINISTRATOR: Actor = { kind: 'person', id: 'a-1', name: 'Ada', role: 'administrator' };
export const SERVICE: Actor = { kind: 'key', id: 'k-1', name: 'planning', role: 'service' };
export const OTHER_SERVICE: Actor = { kind: 'key', id: 'k-2', name: 'research', role: 'service' };

/** An eraser that a test interrupts is followed by the next after this. */
export const ERASER_LEASE_MS = 1_000;

export interface WorkerProcess {
  readonly id: string;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<unknown>;
}

export interface JobHarness {
  readonly db: Database;
  readonly url: string;
  readonly blobs: Blobs;
  readonly jobs: OpenJobs;
  readonly folder: string;
  readonly workFolder: string;
  /** Lines of what the fake handler did, in every process. */
  journal(): Promise<JournalLine[]>;
  /** An image, as a door would have written it; its id. */
  upload(bytes?: number): Promise<string>;
  create(parameters?: Record<string, unknown>, more?: Partial<NewJob>): Promise<Job>;
  worker(options?: Partial<WorkerOptions>): Promise<Worker>;
  workerProcess(options?: Record<string, unknown>): Promise<WorkerProcess>;
  /** The job once it has ended (or `wanted` holds); fails after `ms`. */
  until(id: string, ms?: number, wanted?: (job: Job) => boolean): Promise<Job>;
  /** Ids of images that are not erased. */
  storedUploads(): Promise<string[]>;
  /** Files of the blob store, and of work folders: what of patients lies about. */
  filesLeft(): Promise<string[]>;
  close(): Promise<void>;
}

export interface JournalLine {
  readonly id: string;
  readonly attempt: number;
  readonly event: string;
  readonly at: number;
  readonly pid: number;
}

export interface HarnessOptions extends Partial<JobsOptions> {
  /** Another database than the shared one of tests. */
  readonly url?: string;
  /** Stands between jobs and the blobs. */
  readonly wrapBlobs?: (blobs: Blobs) => Blobs;
}

export async function jobHarness(options: HarnessOptions = {}): Promise<JobHarness> {
  const database = options.url ? connect(options.url) : await testDatabase();
  const { db, url } = database;
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-jobs-'));
  const [blobFolder, copyFolder, workFolder] = ['blobs', 'copies', 'work'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(workFolder);
  const journal = join(folder, 'journal');
  const audit = openAuditLog({ db });
  const ownBlobs = await openBlobs({
    db,
    store: await openFileStore(blobFolder),
    audit,
    reserveBytes: 0,
    copyFolder,
    leaseMs: ERASER_LEASE_MS,
  });
  const blobs = options.wrapBlobs?.(ownBlobs) ?? ownBlobs;
  const parts = { db, url, blobs, audit };
  const jobs = await openJobs({ ...parts, ...options, url, blobs });
  const workers: Worker[] = [];
  const children: ChildProcess[] = [];
  const upload = async (bytes = 1000) => {
    const { id } = await ownBlobs.write([Buffer.alloc(bytes, 7)] as unknown as AsyncIterable<Uint8Array>, {
      purpose: 'upload',
      actor: SERVICE,
    });
    return id;
  };
  return {
    db,
    url,
    blobs,
    jobs,
    folder,
    workFolder,
    upload,
    journal: async () =>
      (await readFile(journal, 'utf8').catch(() => ''))
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' '))
        .map(([id = '', attempt, event = '', at, pid]) => ({
          id,
          attempt: Number(attempt),
          event,
          at: Number(at),
          pid: Number(pid),
        })),
    create: async (parameters = {}, more = {}) =>
      jobs.create({
        kind: 'fake',
        protocol: 'rest',
        actor: SERVICE,
        model: 'fake:1',
        inputBlobIds: more.inputBlobIds ?? [await upload()],
        parameters,
        ...more,
      }),
    worker: async (more = {}) => {
      const worker = await startWorker({
        ...parts,
        handlers: [fakeHandler({ journal })],
        slots: 1,
        workFolder,
        ...more,
      });
      workers.push(worker);
      return worker;
    },
    workerProcess: async (more = {}) => {
      const wish = { url, blobFolder, copyFolder, workFolder, journal, leaseMs: ERASER_LEASE_MS, ...more };
      const entry = fileURLToPath(new URL('testing/worker-process.mjs', import.meta.url));
      const child = spawn(process.execPath, [entry, JSON.stringify(wish)], { stdio: ['pipe', 'pipe', 'inherit'] });
      children.push(child);
      const ended = once(child, 'exit');
      for await (const line of createInterface({ input: child.stdout })) {
        const [word, id] = line.split(' ');
        if (word === 'ready' && id)
          return { id, pid: child.pid!, kill: (signal: NodeJS.Signals) => child.kill(signal), ended };
      }
      throw new Error('The worker process ended before it was ready');
    },
    until: async (id, ms = 20_000, wanted = hasEnded) => {
      const job = await poll(ms, async () => {
        const now = await jobs.get(id, ADMINISTRATOR);
        return now && wanted(now) ? now : undefined;
      });
      if (job) return job;
      const now = await jobs.get(id, ADMINISTRATOR);
      throw new Error(`After ${ms} ms job ${id} is ${now?.state} (${JSON.stringify(now?.failure)})`);
    },
    storedUploads: async () => {
      const rows = await db
        .selectFrom('blob')
        .select('id')
        .where('purpose', '=', 'upload')
        .where('state', '<>', 'erased')
        .execute();
      return rows.map(({ id }) => id);
    },
    filesLeft: async () => [
      ...(await filesBelow(blobFolder)),
      ...(await filesBelow(copyFolder)),
      ...(await filesBelow(workFolder)),
    ],
    close: async () => {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
      await Promise.all(workers.map((worker) => worker.stop(0)));
      await jobs.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function connect(url: string) {
  const db = createDatabase(createPool(url, { applicationName: 'isocenter test' }));
  return { db, url, close: () => db.destroy() };
}

/** The first answer that is not undefined, or undefined after `ms`. */
export async function poll<T>(ms: number, ask: () => Promise<T | undefined>): Promise<T | undefined> {
  for (const until = Date.now() + ms; ; await delay(20)) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    if (Date.now() > until) return undefined;
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
