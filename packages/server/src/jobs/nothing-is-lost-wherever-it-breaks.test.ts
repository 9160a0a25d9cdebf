/**
 * Fault injection: the n-th statement of a worker, or of a request, fails before it is done, or its answer is lost after
 * it was done. Whatever n, the job ends once, with its result or a stated failure, and no image stays.
 */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAuditLog } from '../audit/open-audit-log.js';
import { openFileStore } from '../blobs/file-store.js';
import { openBlobs } from '../blobs/open-blobs.js';
import { createDatabase, createPool } from '../state/connect.js';
import { ADMINISTRATOR, ERASER_LEASE_MS, type JobHarness, jobHarness, poll } from './job-harness.suite.js';
import { MessageQueue } from './message-queue.js';
import { openJobs } from './open-jobs.js';

/** 'refused': not done, connection alive; 'cut-before': not done; 'cut-after': done, but nobody hears of it. */
type Fault = 'refused' | 'cut-before' | 'cut-after';

class FaultyDatabase {
  readonly pool: pg.Pool;
  readonly db;
  /** Statements until the fault; 0: none. */
  #left = 0;
  #fault: Fault = 'refused';
  readonly #faces = new WeakMap<object, pg.PoolClient>();

  constructor(url: string) {
    this.pool = createPool(url, { applicationName: 'isocenter faulty test' });
    const connect = this.pool.connect.bind(this.pool) as () => Promise<pg.PoolClient>;
    this.pool.connect = (async () => this.#face(await connect())) as typeof this.pool.connect;
    this.db = createDatabase(this.pool);
  }

  arm(fault: Fault, n: number): void {
    this.#fault = fault;
    this.#left = n;
  }

  get armed(): boolean {
    return this.#left > 0;
  }

  disarm(): void {
    this.#left = 0;
  }

  #face(client: pg.PoolClient): pg.PoolClient {
    const known = this.#faces.get(client);
    if (known) return known;
    const face = new Proxy(client, {
      get: (target, name) => {
        if (name === 'query') return (...args: unknown[]) => this.#query(target, args);
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    this.#faces.set(client, face);
    return face;
  }

  async #query(client: pg.PoolClient, args: unknown[]): Promise<unknown> {
    const now = this.#left > 0 && --this.#left === 0;
    if (now && this.#fault === 'refused') throw new Error('injected');
    if (now && this.#fault === 'cut-before') throw new Error('Connection terminated unexpectedly');
    const answer = await (client.query as (...args: unknown[]) => Promise<unknown>)(...args);
    if (now) throw new Error('Connection terminated unexpectedly');
    return answer;
  }
}

describe('nothing is lost and nothing is delivered twice, wherever it breaks', () => {
  let harness: JobHarness;
  let faulty: FaultyDatabase;
  beforeAll(async () => {
    harness = await jobHarness();
    faulty = new FaultyDatabase(harness.url);
  });
  afterAll(async () => {
    faulty.disarm();
    await harness.close();
    await faulty.db.destroy();
  });

  /** Jobs and blobs that stand on the faulty database. */
  const faultyParts = async () => {
    const { db } = faulty;
    const audit = openAuditLog({ db });
    const store = await openFileStore(`${harness.folder}/blobs`);
    const copyFolder = `${harness.folder}/copies`;
    const blobs = await openBlobs({ db, store, audit, reserveBytes: 0, copyFolder, leaseMs: ERASER_LEASE_MS });
    return { db, url: harness.url, audit, blobs };
  };

  it.each<Fault>(['refused', 'cut-before', 'cut-after'])('in a worker: %s', async (fault) => {
    const worker = await harness.worker({
      ...(await faultyParts()),
      heartbeatMs: 100,
      pollMs: 50,
      finishForMs: 5_000,
      retryDelaySeconds: () => 0,
    });
    let fired = 0;
    let again = 0;
    for (let n = 1; n <= 36; n++) {
      faulty.arm(fault, n);
      const { id } = await harness.create({ text: `${fault} ${n}` }, { maxAttempts: 5 });
      const job = await harness.until(id);
      expect(job.state, `${fault} at statement ${n}: ${JSON.stringify(job.failure)}`).toBe('succeeded');
      expect(job.files).toHaveLength(1);
      if (!faulty.armed) fired++;
      if (job.attempts > 1) again++;
      faulty.disarm();
    }
    console.log(`${fault}: ${fired} faults, ${again} jobs ran again`);
    expect(fired).toBeGreaterThan(20);
    await worker.stop();
    await check(harness);
  });

  it.each(['before', 'after'] as const)('in the blob store, %s it has done what it was asked', async (when) => {
    let left = 0;
    const fail = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        const now = left > 0 && --left === 0;
        if (now && when === 'before') throw new Error('injected');
        const answer = await work(...args);
        if (now) throw new Error('injected');
        return answer;
      };
    };
    const { write, keep, release, eraseReleased } = harness.blobs;
    const blobs = {
      ...harness.blobs,
      write: fail(write),
      keep: fail(keep),
      release: fail(release),
      eraseReleased: fail(eraseReleased),
    };
    const worker = await harness.worker({ blobs, retryDelaySeconds: () => 0 });
    for (let n = 1; n <= 5; n++) {
      left = n;
      const { id } = await harness.create({ text: `blob ${n}` });
      expect(await harness.until(id)).toMatchObject({ state: 'succeeded' });
      left = 0;
    }
    await worker.stop();
    await check(harness);
  });

  it.each<Fault>(['refused', 'cut-before', 'cut-after'])('in a request: %s', async (fault) => {
    const jobs = await openJobs(await faultyParts());
    const worker = await harness.worker({ slots: 4 });
    let acknowledged = 0;
    for (let n = 1; n <= 14; n++) {
      const input = await harness.upload();
      faulty.arm(fault, n);
      const wish = { kind: 'fake', protocol: 'rest', actor: ADMINISTRATOR, inputBlobIds: [input], parameters: {} };
      const made = await jobs.create(wish).catch(() => undefined);
      faulty.disarm();
      if (!made) continue;
      acknowledged++;
      expect(await harness.until(made.id)).toMatchObject({ state: 'succeeded', inputBlobIds: [input] });
    }
    expect(acknowledged).toBeGreaterThan(0);
    expect(acknowledged).toBeLessThan(14);
    await worker.drain();
    await worker.stop();
    await jobs.close();
    await check(harness);
  });
});

/** Every job has ended, each result has one owner, no owner is without its job, and no message is left or missing. */
async function check({ db, blobs, jobs }: JobHarness): Promise<void> {
  const open = await poll(10_000, async () => {
    const { byState } = await jobs.statistics();
    return byState.queued === 0 && byState.running === 0 ? true : undefined;
  });
  expect(open).toBe(true);
  const files = await db.selectFrom('job_file').select('blob_id').execute();
  const kept = await db
    .selectFrom('blob_owner')
    .select(['blob_id', 'kind'])
    .where('released_at', 'is', null)
    .where('kind', 'in', ['result', 'job'])
    .execute();
  expect(kept.filter(({ kind }) => kind === 'job')).toEqual([]);
  expect(kept.map(({ blob_id }) => blob_id).sort()).toEqual(files.map(({ blob_id }) => blob_id).sort());
  expect(await (await MessageQueue.open(db)).mend()).toBe(0);
  const images = await poll(10_000, async () => {
    await blobs.sweep();
    const left = await db
      .selectFrom('blob')
      .innerJoin('blob_owner', 'blob_owner.blob_id', 'blob.id')
      .select('blob.id')
      .where('blob.purpose', '=', 'upload')
      .where('blob.state', '<>', 'erased')
      .execute();
    return left.length === 0 ? true : undefined;
  });
  expect(images).toBe(true);
}
