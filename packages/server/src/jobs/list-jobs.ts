/**
 * Pages of jobs, newest first, by the key (created_at, id): a page costs the same wherever it is, and jobs that come or
 * end meanwhile neither repeat nor vanish.
 */
import { sql } from 'kysely';
import { badCursor } from '../paging/number-cursor.js';
import type { Database } from '../state/database.js';
import { isUuid } from '../state/uuid.js';
import type { JobFilter, JobPage, JobState } from './job.js';
import { type JobRow, withFiles } from './job-row.js';
import type { JobTable } from './tables.js';

const MOST_PER_PAGE = 1_000;

const EVERY_STATE: readonly JobState[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled'];

/** All but the report, which may be as large as the rest of a page and is shown job by job. */
const COLUMNS = [
  'id',
  'kind',
  'state',
  'priority',
  'protocol',
  'requester_kind',
  'requester_id',
  'requester_name',
  'model',
  'model_version_id',
  'input_blob_ids',
  'inputs_kept',
  'inputs_kept_until',
  'input_bytes',
  'parameters',
  'request_id',
  'external_id',
  'idempotency_key',
  'attempts',
  'max_attempts',
  'message_id',
  'worker',
  'claim',
  'cancel_requested_at',
  'cancel_reason',
  'step',
  'fraction',
  'seconds_left',
  'step_seconds',
  'failure',
  'created_at',
  'started_at',
  'finished_at',
  'results_erased_at',
] as const satisfies readonly (keyof JobTable)[];

interface Cursor {
  readonly createdAt: Date;
  readonly id: string;
}

/** `owner`: only the jobs of this account. Throws PagingError `bad-cursor`. */
export async function listJobs(
  db: Database,
  filter: JobFilter,
  page: { readonly cursor?: string; readonly limit: number },
  owner?: { readonly kind: string; readonly id: string },
): Promise<JobPage> {
  const limit = Math.min(MOST_PER_PAGE, Math.max(1, Math.trunc(page.limit)));
  const cursor = page.cursor === undefined ? undefined : readCursor(page.cursor);
  const rows = await pageQuery(db, filter, cursor, limit + 1, owner);
  const jobs = await withFiles(db, rows.slice(0, limit));
  const last = jobs.at(-1);
  return rows.length > limit && last ? { jobs, next: writeCursor(last) } : { jobs };
}

async function pageQuery(
  db: Database,
  filter: JobFilter,
  cursor: Cursor | undefined,
  limit: number,
  owner: { readonly kind: string; readonly id: string } | undefined,
): Promise<JobRow[]> {
  const one = (state?: string) => {
    let query = db.selectFrom('job').select(COLUMNS).select(sql<null>`null`.as('report'));
    if (state !== undefined) query = query.where('state', '=', state as JobRow['state']);
    if (filter.model !== undefined) query = query.where('model', '=', filter.model);
    if (filter.protocol !== undefined) query = query.where('protocol', '=', filter.protocol);
    if (filter.requestedBy !== undefined) query = query.where('requester_id', '=', filter.requestedBy);
    if (owner) query = query.where('requester_id', '=', owner.id).where('requester_kind', '=', owner.kind);
    if (filter.createdAfter) query = query.where('created_at', '>', filter.createdAfter);
    if (filter.createdBefore) query = query.where('created_at', '<', filter.createdBefore);
    if (cursor)
      query = query.where(sql<boolean>`(created_at, id) < (${cursor.createdAt}::timestamptz, ${cursor.id}::uuid)`);
    return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
  };
  if (!filter.states || EVERY_STATE.every((state) => filter.states?.includes(state))) return one().execute();
  // One query per state: PostgreSQL would read and sort every row of two states, or walk past all rows of a third,
  // where each state alone comes from its index in order.
  const states = [...new Set(filter.states)];
  const lists = await Promise.all(states.map((state) => one(state).execute()));
  return lists.flat().sort(newestFirst).slice(0, limit);
}

function newestFirst(a: JobRow, b: JobRow): number {
  return b.created_at.getTime() - a.created_at.getTime() || (a.id < b.id ? 1 : -1);
}

function writeCursor({ createdAt, id }: Cursor): string {
  return Buffer.from(`${createdAt.getTime()} ${id}`).toString('base64url');
}

function readCursor(text: string): Cursor {
  const [time = '', id = '', ...more] = Buffer.from(text, 'base64url').toString('latin1').split(' ');
  const createdAt = new Date(/^\d{1,15}$/.test(time) ? Number(time) : Number.NaN);
  if (more.length > 0 || Number.isNaN(createdAt.getTime()) || !isUuid(id)) throw badCursor();
  return { createdAt, id };
}
