/**
 * The audit log on PostgreSQL. Nothing is kept in this process: any number of servers and workers append to one chain,
 * because the database chains each entry when its transaction commits (state/migrations/0001-audit.ts says how and why).
 */
import type { Writable } from 'node:stream';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../state/database.js';
import { AuditError } from './audit-error.js';
import type { AuditEntry } from './audit-log.js';
import type { AuditAnchor, AuditTrail, AuditVerdict, ChainedEntry } from './audit-trail.js';
import { ChainWalk } from './chain-walk.js';
import { firstHash } from './entry-bytes.js';
import { fromRow, toPending } from './entry-row.js';
import { writeExport } from './export-log.js';
import { listEntries } from './list-entries.js';
import type { AuditHeadTable } from './tables.js';

export interface AuditLogOptions {
  readonly db: Database;
  readonly clock?: () => Date;
}

/** Entries per query while walking: about 1 MB. */
const PAGE = 1000;

export function openAuditLog({ db, clock = () => new Date() }: AuditLogOptions): AuditTrail {
  return {
    async record(entry: AuditEntry, executor = db): Promise<void> {
      await executor.insertInto('audit_pending').values(toPending(entry, clock())).execute();
    },
    list: (filter, page) => listEntries(db, filter, page),
    verify: (options = {}) => verify(db, options),
    async exportTo(stream: Writable, { from = 1, signal } = {}): Promise<AuditAnchor> {
      const head = await readHead(db);
      const start = await startBefore(db, head, from);
      return writeExport(stream, { logId: head.log_id, ...start }, entriesAfter(db, from - 1, head.seq, signal));
    },
    async head(): Promise<AuditAnchor> {
      const head = await readHead(db);
      return { logId: head.log_id, seq: head.seq, hash: head.hash.toString('hex') };
    },
  };
}

/**
 * The head is read first and the walk ends there: entries of the meantime are the next walk's. So no snapshot is held
 * open while a long log is read, which would keep PostgreSQL from cleaning up behind all other tables.
 */
async function verify(
  db: Database,
  options: { from?: number; anchor?: AuditAnchor; signal?: AbortSignal },
): Promise<AuditVerdict> {
  const { from = 1, anchor, signal } = options;
  const head = await readHead(db);
  const start = await startBefore(db, head, from);
  const walk = new ChainWalk({ logId: head.log_id, ...start, anchor });
  const verdict = (problem: AuditVerdict['problem']): AuditVerdict => ({
    checked: walk.checked,
    anchor: walk.anchor.seq === 0 ? undefined : walk.anchor,
    problem,
  });

  let problem = walk.begin();
  if (problem) return verdict(problem);
  for await (const entry of entriesAfter(db, start.seq, head.seq, signal)) {
    problem = walk.take(entry);
    if (problem) return verdict(problem);
  }
  problem = walk.end({ seq: head.seq, hash: head.hash });
  return verdict(problem ?? (await strangers(db)));
}

async function readHead(db: Database): Promise<Selectable<AuditHeadTable>> {
  return db.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow();
}

/** Number and hash of what stands before entry `from`. */
async function startBefore(db: Database, head: Selectable<AuditHeadTable>, from: number) {
  if (from <= 1) return { seq: 0, hash: firstHash(head.log_id) };
  const before = await db
    .selectFrom('audit_entry')
    .select('hash')
    .where('seq', '=', from - 1)
    .executeTakeFirst();
  if (before) return { seq: from - 1, hash: before.hash };
  throw new AuditError('bad-entry', `There is no entry ${from - 1} to start behind`, {
    where: `from ${from}`,
    next: `Start at an entry between 1 and ${head.seq + 1}.`,
  });
}

async function* entriesAfter(
  db: Database,
  after: number,
  until: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChainedEntry> {
  for (let last = after; ; ) {
    if (signal?.aborted)
      throw new AuditError('cancelled', 'Reading the audit log was cancelled', { where: `entry ${last}` });
    const rows = await db
      .selectFrom('audit_entry')
      .selectAll()
      .where('seq', '>', last)
      .where('seq', '<=', until)
      .orderBy('seq')
      .limit(PAGE)
      .execute();
    for (const row of rows) yield fromRow(row);
    if (rows.length < PAGE) return;
    last = rows.at(-1)!.seq;
  }
}

/** Rows that only a hand, or a disabled trigger, can have left: one statement sees one state of all three tables. */
async function strangers(db: Database): Promise<AuditVerdict['problem']> {
  const { rows } = await sql<{ beyond: number; early: number; pending: number; seq: number }>`
    SELECT (SELECT count(*) FROM audit_entry WHERE seq > head.seq) AS beyond,
           (SELECT count(*) FROM audit_entry WHERE seq < 1) AS early,
           (SELECT count(*) FROM audit_pending) AS pending, head.seq
    FROM audit_head head`.execute(db);
  const { beyond, early, pending, seq } = rows[0]!;
  if (beyond + early > 0) {
    const message = `${beyond + early} rows stand outside the chain: before its start or behind its end`;
    return { kind: 'unchained', seq: early > 0 ? 0 : seq + 1, message };
  }
  if (pending === 0) return undefined;
  const message = `${pending} recorded entries were never chained: the trigger audit_chain was disabled`;
  return { kind: 'unchained', seq: seq + 1, message };
}
