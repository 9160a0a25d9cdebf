/** A worker takes the next job: its message is consumed and its row becomes `running` in one transaction. */
import { sql } from 'kysely';
import type { Database, Executor } from '../state/database.js';
import type { JobHandler } from './job-handler.js';
import type { JobRow } from './job-row.js';
import type { MessageQueue } from './message-queue.js';

export interface Taking {
  readonly db: Database;
  readonly queue: MessageQueue;
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly worker: string;
}

/** 'busy': the first in line is being changed by somebody at this moment; look again soon. */
export async function takeJob(taking: Taking, claim: string): Promise<JobRow | 'nothing' | 'busy'> {
  for (const kind of await kindsInOrder(taking)) {
    for (;;) {
      const taken = await takeOfKind(taking, kind, claim);
      if (taken === 'nothing') break;
      if (taken !== 'stray') return taken;
    }
  }
  return 'nothing';
}

/** Kinds have a queue each; the kind whose first job is most urgent comes first. */
async function kindsInOrder({ db, handlers }: Taking): Promise<readonly string[]> {
  const kinds = [...handlers.keys()];
  if (kinds.length < 2) return kinds;
  const { rows } = await sql<{ kind: string }>`
    select k.kind from unnest(${kinds}::text[]) k (kind), lateral (
      select priority, created_at from job where job.kind = k.kind and state = 'queued'
      order by priority desc, created_at, id limit 1) first
    order by first.priority desc, first.created_at`.execute(db);
  return rows.map(({ kind }) => kind);
}

class Busy extends Error {}

async function takeOfKind(taking: Taking, kind: string, claim: string): Promise<JobRow | 'nothing' | 'stray' | 'busy'> {
  const { db, queue, handlers, worker } = taking;
  try {
    return await db.transaction().execute(async (tx) => {
      const message = await queue.take(tx, kind);
      if (!message) return 'nothing';
      const row = await claimRow(tx, message, worker, claim, handlers.get(kind)?.steps[0]?.step ?? '');
      if (row) return row;
      // Cancelling holds the row and wants the message, we hold the message: whoever waited now would wait for ever.
      if (await isWaiting(tx, message)) throw new Busy();
      return 'stray';
    });
  } catch (error) {
    if (error instanceof Busy) return 'busy';
    throw error;
  }
}

async function claimRow(
  tx: Executor,
  message: { readonly jobId: string; readonly messageId: string },
  worker: string,
  claim: string,
  step: string,
): Promise<JobRow | undefined> {
  return (
    tx
      .updateTable('job')
      .set({
        state: 'running',
        worker,
        claim,
        message_id: null,
        step,
        attempts: sql<number>`attempts + 1`,
        started_at: sql<Date>`clock_timestamp()`,
        input_bytes: sql<number>`(select sum(bytes) from blob where blob.id = any(job.input_blob_ids))`,
      })
      .where('id', '=', (eb) =>
        eb
          .selectFrom('job')
          .select('id')
          .where('id', '=', message.jobId)
          .where('state', '=', 'queued')
          .where('message_id', '=', message.messageId)
          .forUpdate()
          .skipLocked(),
      )
      .returningAll()
      // Here and not in a statement of its own: a round trip less between the request and its start.
      .returning(sql<string>`pg_notify('isocenter_job', id::text)`.as('noticed'))
      .executeTakeFirst()
  );
}

async function isWaiting(
  tx: Executor,
  message: { readonly jobId: string; readonly messageId: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom('job')
    .select('id')
    .where('id', '=', message.jobId)
    .where('state', '=', 'queued')
    .where('message_id', '=', message.messageId)
    .executeTakeFirst();
  return row !== undefined;
}
