/** Pages of the log for people, newest first, by keyset: page 1000 costs what page 1 costs. */
import { cursorOf, numberOf } from '../paging/number-cursor.js';
import type { Database } from '../state/database.js';
import type { AuditFilter, AuditPage } from './audit-trail.js';
import { fromRow } from './entry-row.js';

export async function listEntries(
  db: Database,
  filter: AuditFilter,
  page: { readonly cursor?: string; readonly limit: number },
): Promise<AuditPage> {
  let query = db
    .selectFrom('audit_entry')
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(page.limit + 1);
  if (page.cursor !== undefined) query = query.where('seq', '<', Number(numberOf(page.cursor)));
  if (filter.actorKind !== undefined) query = query.where('actor_kind', '=', filter.actorKind);
  if (filter.actorId !== undefined) query = query.where('actor_id', '=', filter.actorId);
  if (filter.action?.endsWith('.')) {
    query = query.where('action', 'like', `${filter.action.replace(/[\\%_]/g, '\\$&')}%`);
  } else if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.subjectKind !== undefined) query = query.where('subject_kind', '=', filter.subjectKind);
  if (filter.subjectId !== undefined) query = query.where('subject_id', '=', filter.subjectId);
  if (filter.requestId !== undefined) query = query.where('request_id', '=', filter.requestId);
  if (filter.after !== undefined) query = query.where('at', '>=', filter.after);
  if (filter.before !== undefined) query = query.where('at', '<', filter.before);

  const rows = await query.execute();
  const entries = rows.slice(0, page.limit).map(fromRow);
  const more = rows.length > page.limit;
  return more ? { entries, next: cursorOf(entries.at(-1)!.seq) } : { entries };
}
