/** A new job: row, kept inputs, the caller's own rows, message, notice and audit entry in one transaction. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database, Executor } from '../state/database.js';
import type { Job, NewJob } from './job.js';
import type { EndingParts } from './job-ending.js';
import { JobError } from './job-error.js';
import { jobOf, readJob } from './job-row.js';
import { jsonColumn } from './json-column.js';

const HIGHEST_PRIORITY = 100;
const DEFAULT_MAX_ATTEMPTS = 3;
const MOST_ATTEMPTS = 100;
const LONGEST_KEY = 200;

export async function createJob(
  db: Database,
  parts: EndingParts,
  wish: NewJob,
  within?: (executor: Executor, id: string) => Promise<void>,
): Promise<Job> {
  const priority = checkedPriority(wish.priority ?? 0);
  const maxAttempts = wish.maxAttempts ?? DEFAULT_MAX_ATTEMPTS;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > MOST_ATTEMPTS)
    throw new JobError('bad-request', `A job has 1 to ${MOST_ATTEMPTS} attempts`, { where: 'maxAttempts' });
  if ((wish.idempotencyKey?.length ?? 0) > LONGEST_KEY)
    throw new JobError('bad-request', `An idempotency key has at most ${LONGEST_KEY} characters`, {
      where: 'idempotencyKey',
    });
  if ((wish.externalId?.length ?? 0) > LONGEST_KEY)
    throw new JobError('bad-request', `An id of a protocol has at most ${LONGEST_KEY} characters`, {
      where: 'externalId',
    });
  await parts.queue.ensure(wish.kind);
  const id = randomUUID();
  const messageId = randomUUID();
  const made = await db.transaction().execute(async (tx) => {
    const row = await tx
      .insertInto('job')
      .values({
        id,
        kind: wish.kind,
        state: 'queued',
        priority,
        protocol: wish.protocol,
        requester_kind: wish.actor.kind,
        requester_id: wish.actor.id,
        requester_name: wish.actor.name,
        model: wish.model ?? null,
        model_version_id: wish.modelVersionId ?? null,
        input_blob_ids: [...wish.inputBlobIds],
        inputs_kept: wish.inputBlobIds.length > 0,
        parameters: jsonColumn(wish.parameters),
        request_id: wish.requestId ?? null,
        external_id: wish.externalId ?? null,
        idempotency_key: wish.idempotencyKey ?? null,
        max_attempts: maxAttempts,
        message_id: messageId,
      })
      // A second request with the same key waits here until the first is committed, and then finds it.
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      // Idle workers look into the line; in this statement because it saves a round trip.
      .returning(sql<string>`pg_notify('isocenter_queue', kind)`.as('noticed'))
      .executeTakeFirst();
    if (!row) return undefined;
    // The caller's rows before the blobs, as whoever erases a study takes them: or the two would wait for each other.
    await within?.(tx, id);
    for (const blob of wish.inputBlobIds) await parts.blobs.keep(blob, { kind: 'job', id }, tx);
    await parts.queue.send(tx, { id, kind: wish.kind, messageId, priority });
    await parts.audit.record(
      {
        actor: wish.actor,
        action: 'job.created',
        subject: { kind: 'job', id },
        details: { kind: wish.kind, protocol: wish.protocol, ...(wish.model ? { model: wish.model } : {}) },
        ...(wish.requestId ? { requestId: wish.requestId } : {}),
      },
      tx,
    );
    return jobOf(row);
  });
  if (made) return made;
  await eraseDuplicate(db, parts, wish, id);
  return earlierJob(db, wish);
}

/** What came with a request that was made before: nobody keeps it, so it need not lie about until it counts as abandoned. */
async function eraseDuplicate(db: Database, parts: EndingParts, { inputBlobIds }: NewJob, id: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // In the name of an owner that never was: a blob that anybody keeps (the first request's own, a study) stays.
    for (const blob of inputBlobIds)
      await parts.blobs.release(blob, 'the same request came before', tx, { kind: 'job', id });
  });
  await parts.blobs.eraseReleased(inputBlobIds);
}

async function earlierJob(db: Database, wish: NewJob): Promise<Job> {
  const row = await db
    .selectFrom('job')
    .select('id')
    .where('requester_kind', '=', wish.actor.kind)
    .where('requester_id', '=', wish.actor.id)
    .where('idempotency_key', '=', wish.idempotencyKey ?? null)
    .executeTakeFirst();
  const job = row && (await readJob(db, row.id));
  if (!job) throw new JobError('not-found', 'The job of this idempotency key is gone', { where: 'idempotencyKey' });
  return job;
}

/** Throws JobError `bad-request`. */
export function checkedPriority(priority: number): number {
  if (!Number.isInteger(priority) || Math.abs(priority) > HIGHEST_PRIORITY)
    throw new JobError('bad-request', `A priority is a whole number from -${HIGHEST_PRIORITY} to ${HIGHEST_PRIORITY}`, {
      where: 'priority',
    });
  return priority;
}
