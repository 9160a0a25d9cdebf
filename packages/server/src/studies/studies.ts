/**
 * Studies that were uploaded once to run several models on: who owns them, what uses them, when they go. A study is erased
 * when its time has passed without use; each use moves that time, and a running job holds it back.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type Actor, may, SYSTEM } from '../accounts/actor.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { Blobs } from '../blobs/blobs.js';
import type { Inspection } from '../chores/chore.js';
import type { Chores } from '../chores/chores.js';
import { numberOf, type Page, type PageWish, pageOf } from '../paging/number-cursor.js';
import type { Database, Executor } from '../state/database.js';
import { isUuid } from '../state/uuid.js';
import { noStudy, StudyError } from './study-error.js';

export interface Study {
  readonly id: string;
  readonly blobId: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly createdBy: { readonly kind: Actor['kind']; readonly id: string; readonly name: string };
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Jobs that were made of it. */
  readonly jobs: number;
}

export interface StudiesParts {
  readonly db: Database;
  readonly blobs: Blobs;
  readonly audit: AuditLog;
  readonly chores: Chores;
  /** How long a study stays without use. */
  readonly keepMs: number;
}

interface StudyRow {
  readonly id: string;
  readonly number: string | number;
  readonly blob_id: string;
  readonly bytes: string | number;
  readonly sha256: string;
  readonly created_by_kind: string;
  readonly created_by_id: string;
  readonly created_by_name: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly jobs: string | number;
}

/** A job that may still read the study. */
const runningJob = sql<boolean>`exists (
  select 1 from study_job join job on job.id = study_job.job_id
  where study_job.study_id = study.id and job.state in ('queued', 'running'))`;

export class Studies {
  readonly #parts: StudiesParts;

  constructor(parts: StudiesParts) {
    this.#parts = parts;
  }

  /** Throws BlobError `too-large`, `no-space`, `cancelled`; then nothing stays. */
  async add(
    source: AsyncIterable<Uint8Array>,
    actor: Actor,
    more: { readonly signal?: AbortSignal; readonly requestId?: string } = {},
  ): Promise<Study> {
    const { db, blobs, audit } = this.#parts;
    const { signal, requestId } = more;
    const blob = await blobs.write(source, { purpose: 'study', actor, ...(signal ? { signal } : {}) });
    const id = randomUUID();
    await db.transaction().execute(async (tx) => {
      await tx
        .insertInto('study')
        .values({
          id,
          blob_id: blob.id,
          bytes: blob.bytes,
          sha256: blob.sha256,
          created_by_kind: actor.kind,
          created_by_id: actor.id,
          created_by_name: actor.name,
          expires_at: this.#expiry(),
        })
        .execute();
      await blobs.keep(blob.id, { kind: 'study', id }, tx);
      await audit.record(
        {
          actor,
          action: 'study.added',
          subject: { kind: 'study', id },
          details: { bytes: blob.bytes, sha256: blob.sha256 },
          ...(requestId === undefined ? {} : { requestId }),
        },
        tx,
      );
    });
    return this.get(id, actor);
  }

  /** Throws StudyError `not-found`, also for a study that the actor may not see. */
  async get(id: string, actor: Actor): Promise<Study> {
    const row = isUuid(id) ? await this.#visible(actor).where('study.id', '=', id).executeTakeFirst() : undefined;
    if (!row) throw noStudy();
    return studyOf(row);
  }

  /** Newest first. Throws PagingError `bad-cursor`. */
  async list({ cursor, limit }: PageWish, actor: Actor): Promise<Page<Study>> {
    let query = this.#visible(actor);
    if (cursor !== undefined) query = query.where('study.number', '<', numberOf(cursor));
    const rows = await query
      .orderBy('study.number', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(rows, limit, studyOf);
  }

  /** In the transaction that makes the job. Throws StudyError `not-found` when it was erased meanwhile. */
  async use(executor: Executor, id: string, jobId: string): Promise<void> {
    const moved = await executor
      .updateTable('study')
      .set({ expires_at: this.#expiry() })
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst();
    if (!moved) throw noStudy();
    await executor.insertInto('study_job').values({ study_id: id, job_id: jobId }).execute();
  }

  /** Its series, and which one the model in `modelFolder` would take. Throws StudyError `not-found`, ChoresError, and what reading throws. */
  async inspect(
    id: string,
    actor: Actor,
    more: { readonly modelFolder?: string; readonly signal?: AbortSignal } = {},
  ): Promise<Inspection> {
    const { blobs, chores } = this.#parts;
    const study = await this.get(id, actor);
    const file = await blobs.toFile(study.blobId, more.signal);
    try {
      const chore = {
        kind: 'inspect' as const,
        inputPath: file.path,
        ...(more.modelFolder === undefined ? {} : { modelFolder: more.modelFolder }),
      };
      return await chores.run(chore, more.signal);
    } finally {
      await file.done();
    }
  }

  /** One's own, or with `jobs.manage-all` anybody's. Throws StudyError `not-found`, `forbidden`, `in-use`. */
  async remove(id: string, actor: Actor, requestId?: string): Promise<void> {
    const { createdBy } = await this.get(id, actor);
    const own = createdBy.kind === actor.kind && createdBy.id === actor.id;
    if (!own && !may(actor, 'jobs.manage-all'))
      throw new StudyError('forbidden', 'This study is somebody else’s', {
        where: 'study',
        next: 'Ask its owner or an administrator.',
      });
    const erased = await this.#erase(id, actor, own ? 'deleted by its owner' : 'deleted for its owner', requestId);
    if (erased === 'in-use')
      throw new StudyError('in-use', 'A job runs on this study', {
        where: 'study',
        next: 'Cancel the job or wait for its end, then delete the study.',
      });
  }

  /** Erases what nobody used in its time. Every minute or so, by any of the servers. */
  async sweep(): Promise<{ readonly erased: number }> {
    const rows = await this.#parts.db
      .selectFrom('study')
      .select('id')
      .where('expires_at', '<', sql<Date>`clock_timestamp()`)
      .where(sql<boolean>`not ${runningJob}`)
      .limit(1000)
      .execute();
    let erased = 0;
    for (const { id } of rows) if ((await this.#erase(id, SYSTEM, 'not used in its time')) === 'erased') erased++;
    return { erased };
  }

  async statistics(): Promise<{ readonly total: number; readonly bytes: number }> {
    const { total, bytes } = await this.#parts.db
      .selectFrom('study')
      .select(({ fn }) => [fn.countAll<string>().as('total'), fn.sum<string | null>('bytes').as('bytes')])
      .executeTakeFirstOrThrow();
    return { total: Number(total), bytes: Number(bytes ?? 0) };
  }

  async #erase(id: string, actor: Actor, reason: string, requestId?: string): Promise<'erased' | 'in-use' | 'gone'> {
    const { db, blobs, audit } = this.#parts;
    const outcome = await db.transaction().execute(async (tx) => {
      // Locked first: `use` of a job that is being made waits here, and then finds no study.
      const row = await tx.selectFrom('study').select('blob_id').where('id', '=', id).forUpdate().executeTakeFirst();
      if (!row) return { kind: 'gone' as const };
      const busy = await tx.selectFrom('study').select('id').where('id', '=', id).where(runningJob).executeTakeFirst();
      if (busy) return { kind: 'in-use' as const };
      await tx.deleteFrom('study').where('id', '=', id).execute();
      await blobs.release(row.blob_id, `study ${id} ${reason}`, tx, { kind: 'study', id });
      await audit.record(
        {
          actor,
          action: 'study.erased',
          subject: { kind: 'study', id },
          reason,
          ...(requestId === undefined ? {} : { requestId }),
        },
        tx,
      );
      return { kind: 'erased' as const, blobId: row.blob_id };
    });
    if (outcome.kind === 'erased') await blobs.eraseReleased([outcome.blobId]);
    return outcome.kind;
  }

  #visible(actor: Actor) {
    const query = this.#parts.db
      .selectFrom('study')
      .selectAll('study')
      .select(sql<string>`(select count(*) from study_job where study_id = study.id)`.as('jobs'));
    if (may(actor, 'jobs.read-all')) return query;
    return query.where('created_by_kind', '=', actor.kind).where('created_by_id', '=', actor.id);
  }

  #expiry() {
    return sql<Date>`clock_timestamp() + make_interval(secs => ${this.#parts.keepMs / 1000})`;
  }
}

function studyOf(row: StudyRow): Study {
  return {
    id: row.id,
    blobId: row.blob_id,
    bytes: Number(row.bytes),
    sha256: row.sha256,
    createdBy: { kind: row.created_by_kind as Actor['kind'], id: row.created_by_id, name: row.created_by_name },
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    jobs: Number(row.jobs),
  };
}
