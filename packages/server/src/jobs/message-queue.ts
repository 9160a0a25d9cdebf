/**
 * The waiting line: pg-boss messages, one queue per kind of job. A message is sent in the transaction that makes a job
 * `queued` and consumed in the one that makes it anything else, so pg-boss has nothing to expire, retry or archive; who
 * is alive and who failed is told by our own rows (worker.ts, monitor.ts).
 */
import { randomUUID } from 'node:crypto';
import { CompiledQuery, sql } from 'kysely';
import PgBoss from 'pg-boss';
import type { Database, Executor } from '../state/database.js';
import { JobError } from './job-error.js';

/** Kinds become queue names and parts of index names. */
const KIND = /^[a-z][a-z0-9-]{0,30}$/;
/** pg-boss archives what waits longer than its retention (14 days): ours waits until it is taken or cancelled. */
const RETENTION_DAYS = 36_500;
const SCHEMA = 'pgboss';

export interface Taken {
  readonly messageId: string;
  readonly jobId: string;
}

export class MessageQueue {
  readonly #boss: PgBoss;
  readonly #db: Database;
  readonly #known = new Map<string, Promise<void>>();

  private constructor(db: Database, boss: PgBoss) {
    this.#db = db;
    this.#boss = boss;
  }

  /** Makes pg-boss's schema where it is missing. */
  static async open(db: Database): Promise<MessageQueue> {
    const boss = new PgBoss({ db: bossDb(db), schema: SCHEMA, schedule: false, supervise: false });
    boss.on('error', () => undefined);
    await boss.start();
    return new MessageQueue(db, boss);
  }

  /** The queue of a kind; outside of transactions, because it makes a table. Throws JobError `bad-request`. */
  ensure(kind: string): Promise<void> {
    if (!KIND.test(kind))
      return Promise.reject(
        new JobError('bad-request', 'The kind of a job is lower-case letters, digits and hyphens', { where: 'kind' }),
      );
    let known = this.#known.get(kind);
    if (!known) {
      known = this.#make(kind);
      this.#known.set(kind, known);
      known.catch(() => this.#known.delete(kind));
    }
    return known;
  }

  async #make(kind: string): Promise<void> {
    const partition = await this.#partitionOf(kind);
    if (!partition) await this.#boss.createQueue(kind);
    // pg-boss takes the first by priority and age but indexes only by start time: without this index each taking sorts
    // all that wait (100,000 waiting, on a busy machine: 700 ms median per taking; with it 13 ms, most of it the load).
    const table = partition ?? (await this.#partitionOf(kind));
    if (!table) throw new JobError('message-lost', 'The queue of this kind could not be made', { where: kind });
    const name = `isocenter_taking_${kind.replaceAll('-', '_')}`;
    const there = await sql<{ there: boolean }>`
      select to_regclass(${`${SCHEMA}.${name}`}) is not null as there`.execute(this.#db);
    if (there.rows[0]?.there) return;
    await sql`create index if not exists ${sql.id(name)} on ${sql.id(SCHEMA, table)}
      (name, priority desc, created_on, id) where state < 'active'`.execute(this.#db);
  }

  async #partitionOf(kind: string): Promise<string | undefined> {
    const { rows } = await sql<{ partition_name: string }>`
      select partition_name from ${sql.id(SCHEMA, 'queue')} where name = ${kind}`.execute(this.#db);
    return rows[0]?.partition_name;
  }

  /** Puts a job in line; `messageId` is on its row. `delaySeconds`: nobody takes it before. */
  async send(
    executor: Executor,
    job: { readonly id: string; readonly kind: string; readonly messageId: string; readonly priority: number },
    delaySeconds = 0,
  ): Promise<void> {
    const sent = await this.#boss.send(
      job.kind,
      { jobId: job.id },
      {
        id: job.messageId,
        priority: job.priority,
        retentionDays: RETENTION_DAYS,
        ...(delaySeconds > 0 ? { startAfter: delaySeconds } : {}),
        db: bossDb(executor),
      },
    );
    if (sent !== job.messageId)
      throw new JobError('message-lost', 'The queue did not take the message of a job', { where: job.id });
  }

  /**
   * As `send`, at the place that the job has by its age and not at the end: a job whose worker died behind a thousand that
   * came later would else not run again within seconds, but after all of them.
   */
  async sendBack(executor: Executor, job: Parameters<MessageQueue['send']>[1], delaySeconds: number): Promise<void> {
    await this.send(executor, job, delaySeconds);
    await sql`
      update ${sql.id(SCHEMA, 'job')} m set created_on = j.created_at from job j
      where j.id = ${job.id} and m.name = ${job.kind} and m.id = ${job.messageId}`.execute(executor);
  }

  /** The next job of the kind by priority, then age; its message is consumed when the transaction commits. */
  async take(executor: Executor, kind: string): Promise<Taken | undefined> {
    const db = bossDb(executor);
    const [message] = await this.#boss.fetch<{ jobId: string }>(kind, { db, batchSize: 1 });
    if (!message) return undefined;
    await this.#boss.deleteJob(kind, message.id, { db });
    return { messageId: message.id, jobId: message.data.jobId };
  }

  /** Takes a message out of the line. */
  async drop(executor: Executor, kind: string, messageId: string): Promise<void> {
    await this.#boss.deleteJob(kind, messageId, { db: bossDb(executor) });
  }

  /** Jobs that are queued but in no line (a restored backup without pg-boss's schema) get a message; how many. */
  async mend(): Promise<number> {
    const { rows } = await sql<{ id: string; kind: string; priority: number; message_id: string | null }>`
      select id, kind, priority, message_id from job where state = 'queued' and not exists (
        select from ${sql.id(SCHEMA, 'job')} m where m.name = job.kind and m.id = job.message_id)`.execute(this.#db);
    for (const row of rows) {
      await this.ensure(row.kind);
      await this.#db.transaction().execute(async (tx) => {
        const messageId = randomUUID();
        const { numUpdatedRows } = await tx
          .updateTable('job')
          .set({ message_id: messageId })
          .where('id', '=', row.id)
          .where('state', '=', 'queued')
          .where('message_id', 'is not distinct from', row.message_id)
          .executeTakeFirst();
        if (numUpdatedRows === 1n)
          await this.sendBack(tx, { id: row.id, kind: row.kind, priority: row.priority, messageId }, 0);
      });
    }
    return rows.length;
  }
}

/** pg-boss's way to speak SQL, through the caller's connection. */
function bossDb(executor: Executor): PgBoss.Db {
  return {
    executeSql: async (text, values) => {
      const { rows } = await executor.executeQuery(CompiledQuery.raw(text, values ?? []));
      return { rows };
    },
  };
}
