/** What `isocenter audit verify` promises: one byte changed anywhere in the log, by anybody, is found and named. */
import { Readable } from 'node:stream';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM } from '../accounts/actor.js';
import type { Database } from '../state/database.js';
import { type TestDatabase, testDatabase } from '../state/test-database.suite.js';
import type { AuditTrail } from './audit-trail.js';
import { collect } from './collect.suite.js';
import { verifyExport } from './export-log.js';
import { openAuditLog } from './open-audit-log.js';

const ENTRIES = 8;
let database: TestDatabase;
let audit: AuditTrail;

async function fill(db: Database, count = ENTRIES): Promise<AuditTrail> {
  let now = Date.UTC(2026, 10, 22, 8);
  const clock = () => {
    now += 1001;
    return new Date(now);
  };
  const log = openAuditLog({ db, clock });
  for (let n = 1; n <= count; n += 1) {
    await log.record({
      actor: { kind: 'person', id: `account-${n}`, name: 'Ada Löwe, 40,', role: 'clinician' },
      action: 'job.created',
      subject: { kind: 'job', id: `job-${n}` },
      reason: n % 2 ? 'second reading' : undefined,
      details: { model: 'ct-basic:1', inputs: ['a', 'b'], bytes: 1e21, retry: n % 3 === 0 },
      requestId: `request-${n}`,
    });
  }
  return log;
}

/** As an administrator of the database would who wants to hide something. */
async function tamper(...statements: string[]): Promise<void> {
  await sql`ALTER TABLE audit_entry DISABLE TRIGGER ALL`.execute(database.db);
  for (const statement of statements) await sql.raw(statement).execute(database.db);
  await sql`ALTER TABLE audit_entry ENABLE TRIGGER ALL`.execute(database.db);
}

beforeEach(async () => {
  database = await testDatabase();
  audit = await fill(database.db);
  return () => database.close();
});

describe('the table itself', () => {
  it('refuses to change, delete or truncate', async () => {
    const { db } = database;
    await expect(sql`UPDATE audit_entry SET reason = 'x' WHERE seq = 3`.execute(db)).rejects.toThrow('append-only');
    await expect(sql`DELETE FROM audit_entry WHERE seq = 3`.execute(db)).rejects.toThrow('append-only');
    await expect(sql`TRUNCATE audit_entry`.execute(db)).rejects.toThrow('append-only');
    await expect(sql`DELETE FROM audit_head`.execute(db)).rejects.toThrow('append-only');
    expect(await audit.verify()).toMatchObject({ checked: ENTRIES, problem: undefined });
  });
});

describe('verify', () => {
  it('finds nothing in a log that nobody touched', async () => {
    const verdict = await audit.verify();
    expect(verdict).toEqual({ checked: ENTRIES, problem: undefined, anchor: await audit.head() });
    expect(await audit.verify({ from: 5 })).toMatchObject({ checked: 4, problem: undefined });
    expect(await audit.verify({ from: ENTRIES + 1 })).toMatchObject({ checked: 0, problem: undefined });
    await expect(audit.verify({ from: ENTRIES + 2 })).rejects.toThrow('no entry');
  });

  const edits: readonly [column: string, edit: string][] = [
    ['at', `at + interval '1 millisecond'`],
    ['at', `'infinity'`],
    ['actor_kind', `'persom'`],
    ['actor_id', `overlay(actor_id placing 'b' from 1 for 1)`],
    ['actor_name', `replace(actor_name, 'ö', 'o')`],
    ['action', `action || ' '`],
    ['subject_kind', `'jab'`],
    ['subject_id', `'job-4'`],
    ['reason', `'Second reading'`],
    ['reason', 'NULL'],
    ['reason', `''`],
    ['details', `replace(details, '1e+21', '1e+22')`],
    ['details', 'NULL'],
    ['request_id', `'request-4'`],
    ['digest', `set_byte(digest, 31, get_byte(digest, 31) # 1)`],
    ['previous', `set_byte(previous, 0, get_byte(previous, 0) # 128)`],
    ['hash', `set_byte(hash, 7, get_byte(hash, 7) # 1)`],
  ];
  it.each(edits)('names the entry whose %s became %s', async (column, edit) => {
    await tamper(`UPDATE audit_entry SET ${column} = ${edit} WHERE seq = 3`);
    const { checked, problem } = await audit.verify();
    expect(problem).toMatchObject({ kind: 'changed', seq: 3 });
    expect(checked).toBe(2);
    expect(problem?.message).not.toContain('Ada');
  });

  it('finds an edit whose author computed the digest anew', async () => {
    await tamper(`UPDATE audit_entry SET action = 'x', digest = sha256('x') WHERE seq = 3`);
    expect((await audit.verify()).problem).toMatchObject({ kind: 'changed', seq: 3 });
  });

  it('finds text moved from one field to the next', async () => {
    await tamper(`UPDATE audit_entry SET action = 'job.create', subject_kind = 'djob' WHERE seq = 3`);
    expect((await audit.verify()).problem).toMatchObject({ kind: 'changed', seq: 3 });
  });

  it('finds a deleted entry, and several', async () => {
    await tamper('DELETE FROM audit_entry WHERE seq = 4');
    expect((await audit.verify()).problem).toEqual({ kind: 'missing', seq: 4, message: 'Entry 4 is missing' });
    await tamper('DELETE FROM audit_entry WHERE seq in (5, 6)');
    expect((await audit.verify()).problem).toEqual({ kind: 'missing', seq: 4, message: 'Entries 4 to 6 are missing' });
  });

  it('finds a deleted entry whose successors moved up', async () => {
    await tamper('DELETE FROM audit_entry WHERE seq = 4', 'UPDATE audit_entry SET seq = seq - 1 WHERE seq > 4');
    const { problem } = await audit.verify();
    expect(problem).toMatchObject({ kind: 'reordered', seq: 4 });
    expect(problem?.message).toContain('written as entry 5');
  });

  it.each([
    [3, 4],
    [2, 7],
  ])('finds entries %i and %i exchanged', async (a, b) => {
    await tamper(
      `UPDATE audit_entry SET seq = -1 WHERE seq = ${a}`,
      `UPDATE audit_entry SET seq = ${a} WHERE seq = ${b}`,
      `UPDATE audit_entry SET seq = ${b} WHERE seq = -1`,
    );
    const { problem } = await audit.verify();
    expect(problem).toMatchObject({ kind: 'reordered', seq: a });
    expect(problem?.message).toContain(`written as entry ${b}`);
  });

  it('finds a tail cut off, and an empty table', async () => {
    await tamper('DELETE FROM audit_entry WHERE seq > 6');
    expect((await audit.verify()).problem).toMatchObject({ kind: 'truncated', seq: 7 });
    await tamper('DELETE FROM audit_entry');
    expect((await audit.verify()).problem).toMatchObject({ kind: 'truncated', seq: 1 });
  });

  it('finds a tail cut off together with the head, when it has an anchor', async () => {
    const anchor = await audit.head();
    await tamper(
      'DELETE FROM audit_entry WHERE seq > 6',
      'UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit_entry WHERE seq = 6)',
    );
    expect((await audit.verify()).problem).toBeUndefined();
    expect((await audit.verify({ anchor })).problem).toMatchObject({ kind: 'truncated', seq: 7 });
  });

  it('finds a chain that was made anew, when it has an anchor', async () => {
    const anchor = await audit.head();
    const other = await testDatabase();
    try {
      // Test databases are copies of one template, so this one gets an id of its own as a migration would give it.
      await sql`UPDATE audit_head SET log_id = gen_random_uuid()`.execute(other.db);
      await sql`UPDATE audit_head SET hash = sha256(convert_to('isocenter-audit-1 ' || log_id::text, 'UTF8'))`.execute(
        other.db,
      );
      await fill(other.db, ENTRIES);
      await audit.record({ actor: SYSTEM, action: 'later', subject: { kind: 'test', id: '1' } });
      expect((await audit.verify({ anchor })).problem).toBeUndefined();
      // All hashes after the edit computed as the trigger would.
      await tamper(
        `UPDATE audit_entry SET digest = sha256('forged') WHERE seq = 4`,
        `DO $$ DECLARE e record; h bytea; BEGIN
           SELECT previous INTO h FROM audit_entry WHERE seq = 4;
           FOR e IN SELECT * FROM audit_entry WHERE seq >= 4 ORDER BY seq LOOP
             UPDATE audit_entry SET previous = h, hash = sha256(h || int8send(e.seq) || e.digest) WHERE seq = e.seq
               RETURNING hash INTO h;
           END LOOP;
           UPDATE audit_head SET hash = h;
         END $$`,
      );
      expect((await audit.verify({ from: 5 })).problem).toBeUndefined();
      expect((await audit.verify({ from: 5, anchor })).problem).toMatchObject({ kind: 'rewritten', seq: ENTRIES });
      expect(await openAuditLog({ db: other.db }).verify()).toMatchObject({ checked: ENTRIES, problem: undefined });
      const foreign = await openAuditLog({ db: other.db }).verify({ anchor });
      expect(foreign.problem).toMatchObject({ kind: 'rewritten' });
    } finally {
      await other.close();
    }
  });

  it('finds rows that the chain never took in', async () => {
    await sql`ALTER TABLE audit_pending DISABLE TRIGGER ALL`.execute(database.db);
    await audit.record({ actor: SYSTEM, action: 'quiet', subject: { kind: 'test', id: '1' } });
    await sql`ALTER TABLE audit_pending ENABLE TRIGGER ALL`.execute(database.db);
    expect((await audit.verify()).problem).toMatchObject({ kind: 'unchained', seq: ENTRIES + 1 });
  });

  it('finds rows behind the end and before the start', async () => {
    const copy = (
      seq: number,
    ) => `INSERT INTO audit_entry SELECT ${seq}, at, actor_kind, actor_id, actor_name, action, subject_kind,
      subject_id, reason, details, request_id, digest, previous, hash FROM audit_entry WHERE seq = 8`;
    await sql.raw(copy(9)).execute(database.db);
    expect((await audit.verify()).problem).toMatchObject({ kind: 'unchained', seq: 9 });
    await sql.raw(copy(0)).execute(database.db);
    expect((await audit.verify()).problem).toMatchObject({ kind: 'unchained', seq: 0 });
  });

  it('walks more entries than one page', async () => {
    await database.db.transaction().execute(async (trx) => {
      for (let n = 0; n < 2500; n += 1)
        await audit.record({ actor: SYSTEM, action: 'many', subject: { kind: 'n', id: `${n}` } }, trx);
    });
    expect(await audit.verify()).toMatchObject({ checked: ENTRIES + 2500, problem: undefined });
    await tamper('DELETE FROM audit_entry WHERE seq = 2001');
    expect((await audit.verify()).problem).toMatchObject({ kind: 'missing', seq: 2001 });
  });
});

describe('an export', () => {
  let text: string;
  beforeEach(async () => {
    text = await collect((stream) => audit.exportTo(stream));
  });
  const check = (edited: string, anchor?: Awaited<ReturnType<AuditTrail['head']>>) =>
    verifyExport(Readable.from([edited]), anchor ? { anchor } : {});

  it('proves itself without the database', async () => {
    expect(await check(text)).toEqual({ checked: ENTRIES, problem: undefined, anchor: await audit.head() });
    expect(await check(text, await audit.head())).toMatchObject({ problem: undefined });
  });

  it('may begin in the middle', async () => {
    const tail = await collect((stream) => audit.exportTo(stream, { from: 6 }));
    expect(await check(tail)).toMatchObject({ checked: 3, problem: undefined });
  });

  it('is refused after any one byte of it changed', async () => {
    const bytes = Buffer.from(text);
    const lineOfEntry3 = {
      from: text.split('\n').slice(0, 3).join('\n').length + 1,
      to: text.split('\n').slice(0, 4).join('\n').length,
    };
    for (let at = lineOfEntry3.from; at < lineOfEntry3.to; at += 1) {
      const edited = Buffer.from(bytes);
      edited[at] = edited[at]! ^ 1;
      const { problem } = await check(edited.toString('utf8'));
      expect(
        problem,
        `byte ${at - lineOfEntry3.from}: ${edited.subarray(lineOfEntry3.from, lineOfEntry3.to)}`,
      ).toBeDefined();
    }
  });

  it('is refused without its end, with lines out of order, twice, or as another kind of file', async () => {
    const lines = text.trimEnd().split('\n');
    const without = (index: number) => lines.filter((_, n) => n !== index).join('\n');
    expect((await check(lines.slice(0, -1).join('\n'))).problem).toMatchObject({ kind: 'truncated', seq: 9 });
    expect((await check(without(4))).problem).toMatchObject({ kind: 'missing', seq: 4 });
    expect((await check(without(8))).problem).toMatchObject({ kind: 'truncated', seq: 8 });
    expect((await check(without(0))).problem).toMatchObject({ kind: 'malformed' });
    expect((await check(text + text)).problem).toMatchObject({ kind: 'malformed', seq: 9 });
    expect((await check('PK\u0003\u0004')).problem).toMatchObject({ kind: 'malformed', seq: 1 });
    expect((await check('')).problem).toMatchObject({ kind: 'truncated', seq: 1 });
    const swapped = [...lines.slice(0, 3), lines[4], lines[3], ...lines.slice(5)].join('\n');
    expect((await check(swapped)).problem).toMatchObject({ kind: 'missing', seq: 3 });
  });
});
