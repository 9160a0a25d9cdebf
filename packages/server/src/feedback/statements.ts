/** Stores and lists what people say about results (feedback) and what clients measured (telemetry). */
import { randomUUID } from 'node:crypto';
import type { Actor } from '../accounts/actor.js';
import type { AuditLog } from '../audit/audit-log.js';
import { numberOf, type Page, type PageWish, pageOf } from '../paging/number-cursor.js';
import type { Database } from '../state/database.js';
import { isUuid } from '../state/uuid.js';
import type {
  FeedbackFields,
  Origin,
  StatementFilter,
  Stored,
  StructureFeedback,
  TelemetryFields,
} from './feedback.js';

export type StoredFeedback = Stored & FeedbackFields;
export type StoredTelemetry = Stored & TelemetryFields;

const NUL = String.fromCharCode(0);

/** PostgreSQL takes neither NUL nor half a surrogate pair; old protocols let both come in. */
const clean = (text: string | undefined): string | null =>
  text?.replaceAll(NUL, '').replaceAll(/\p{Surrogate}/gu, '\ufffd') ?? null;

export class Statements {
  readonly #db: Database;
  readonly #audit: AuditLog;

  constructor(db: Database, audit: AuditLog) {
    this.#db = db;
    this.#audit = audit;
  }

  async giveFeedback(origin: Origin, fields: FeedbackFields, requestId?: string): Promise<StoredFeedback> {
    return this.#db.transaction().execute(async (tx) => {
      const row = await tx
        .insertInto('feedback')
        .values({
          ...originColumns(origin),
          accepted: fields.accepted,
          comments: clean(fields.comments),
          score: fields.score ?? null,
          structures: JSON.stringify(fields.structures.map(cleanStructure)),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await this.#audit.record(
        {
          actor: origin.actor,
          action: 'feedback.given',
          subject: { kind: 'feedback', id: row.id },
          details: { accepted: fields.accepted, ...(origin.job === undefined ? {} : { job: origin.job }) },
          ...(requestId === undefined ? {} : { requestId }),
        },
        tx,
      );
      return feedbackOf(row);
    });
  }

  async sendTelemetry(origin: Origin, fields: TelemetryFields): Promise<StoredTelemetry> {
    const row = await this.#db
      .insertInto('telemetry')
      .values({
        ...originColumns(origin),
        upload_ms: fields.uploadMs ?? null,
        wait_ms: fields.waitMs ?? null,
        download_ms: fields.downloadMs ?? null,
        retries: fields.retries ?? null,
        error: fields.error,
        error_information: clean(fields.errorInformation),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return telemetryOf(row);
  }

  /** Newest first. Throws PagingError `bad-cursor`. */
  async listFeedback(filter: StatementFilter, { cursor, limit }: PageWish): Promise<Page<StoredFeedback>> {
    let query = this.#db.selectFrom('feedback').selectAll();
    if (filter.job !== undefined) query = query.where('job_id', '=', filter.job);
    if (filter.model !== undefined) query = query.where('model', '=', filter.model);
    if (filter.accepted !== undefined) query = query.where('accepted', '=', filter.accepted);
    if (cursor !== undefined) query = query.where('number', '<', numberOf(cursor));
    const rows = await query
      .orderBy('number', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(rows, limit, feedbackOf);
  }

  async feedback(id: string): Promise<StoredFeedback | undefined> {
    if (!isUuid(id)) return undefined;
    const row = await this.#db.selectFrom('feedback').selectAll().where('id', '=', id).executeTakeFirst();
    return row && feedbackOf(row);
  }

  /** Newest first. Throws PagingError `bad-cursor`. */
  async listTelemetry(filter: StatementFilter, { cursor, limit }: PageWish): Promise<Page<StoredTelemetry>> {
    let query = this.#db.selectFrom('telemetry').selectAll();
    if (filter.job !== undefined) query = query.where('job_id', '=', filter.job);
    if (filter.model !== undefined) query = query.where('model', '=', filter.model);
    if (cursor !== undefined) query = query.where('number', '<', numberOf(cursor));
    const rows = await query
      .orderBy('number', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(rows, limit, telemetryOf);
  }

  async statistics(): Promise<{ readonly total: number; readonly accepted: number }> {
    const { total, accepted } = await this.#db
      .selectFrom('feedback')
      .select(({ fn }) => [
        fn.countAll<string>().as('total'),
        fn.countAll<string>().filterWhere('accepted', '=', true).as('accepted'),
      ])
      .executeTakeFirstOrThrow();
    return { total: Number(total), accepted: Number(accepted) };
  }
}

function cleanStructure({ structure, comments, score }: StructureFeedback): StructureFeedback {
  return {
    structure: clean(structure) ?? '',
    ...(comments === undefined ? {} : { comments: clean(comments) ?? '' }),
    ...(score === undefined ? {} : { score }),
  };
}

function originColumns({ actor, protocol, job, model, client }: Origin) {
  return {
    id: randomUUID(),
    protocol,
    job_id: clean(job),
    model: clean(model),
    client: clean(client),
    created_by_kind: actor.kind,
    created_by_id: actor.id,
    created_by_name: actor.name,
  };
}

interface StoredRow {
  readonly id: string;
  readonly protocol: string;
  readonly job_id: string | null;
  readonly model: string | null;
  readonly client: string | null;
  readonly created_by_kind: string;
  readonly created_by_id: string;
  readonly created_by_name: string;
  readonly created_at: Date;
}

function storedOf(row: StoredRow): Stored {
  return {
    id: row.id,
    protocol: row.protocol,
    ...(row.job_id === null ? {} : { job: row.job_id }),
    ...(row.model === null ? {} : { model: row.model }),
    ...(row.client === null ? {} : { client: row.client }),
    createdBy: { kind: row.created_by_kind as Actor['kind'], id: row.created_by_id, name: row.created_by_name },
    createdAt: row.created_at,
  };
}

function feedbackOf(
  row: StoredRow & {
    readonly accepted: boolean;
    readonly comments: string | null;
    readonly score: number | null;
    readonly structures: FeedbackFields['structures'];
  },
): StoredFeedback {
  return {
    ...storedOf(row),
    accepted: row.accepted,
    ...(row.comments === null ? {} : { comments: row.comments }),
    ...(row.score === null ? {} : { score: row.score }),
    structures: row.structures,
  };
}

type Int8 = string | number | null;

function telemetryOf(
  row: StoredRow & {
    readonly upload_ms: Int8;
    readonly wait_ms: Int8;
    readonly download_ms: Int8;
    readonly retries: Int8;
    readonly error: TelemetryFields['error'];
    readonly error_information: string | null;
  },
): StoredTelemetry {
  return {
    ...storedOf(row),
    ...(row.upload_ms === null ? {} : { uploadMs: Number(row.upload_ms) }),
    ...(row.wait_ms === null ? {} : { waitMs: Number(row.wait_ms) }),
    ...(row.download_ms === null ? {} : { downloadMs: Number(row.download_ms) }),
    ...(row.retries === null ? {} : { retries: Number(row.retries) }),
    error: row.error,
    ...(row.error_information === null ? {} : { errorInformation: row.error_information }),
  };
}
