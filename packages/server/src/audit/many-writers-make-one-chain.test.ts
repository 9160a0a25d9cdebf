/** What everybody who records relies on: an entry stands if and only if the change does, and nobody waits for a slow neighbour. */
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Actor } from '../accounts/actor.js';
import { createDatabase, createPool } from '../state/connect.js';
import type { Database } from '../state/database.js';
import { type TestDatabase, testDatabase } from '../state/test-database.suite.js';
import type { AuditEntry } from './audit-log.js';
import type { AuditTrail } from './audit-trail.js';
import { openAuditLog } from './open-audit-log.js';

const actor: Actor = { kind: 'key', id: 'key-1', name: 'gateway', role: 'service' };
const entry = (id: string, action = 'job.created'): AuditEntry => ({ actor, action, subject: { kind: 'job', id } });

let database: TestDatabase;
let audit: AuditTrail;
let others: Database[];

/** A database handle as another process has: its own connections, nothing shared in memory. */
function otherProcess(): Database {
  const other = createDatabase(createPool(database.url, { maximum: 5 }));
  others.push(other);
  return other;
}

beforeEach(async () => {
  others = [];
  database = await testDatabase();
  audit = openAuditLog({ db: database.db, clock: () => new Date() });
});
afterEach(async () => {
  await Promise.all(others.map((other) => other.destroy()));
  await database.close();
});

async function subjects(): Promise<string[]> {
  const { entries } = await audit.list({}, { limit: 1000 });
  return entries.map(({ subjectId }) => subjectId).reverse();
}

describe('fifty writers in ten processes', () => {
  it('make one chain without a gap', async () => {
    const each = 10;
    const writers = Array.from({ length: 10 }, () => openAuditLog({ db: otherProcess() })).flatMap(
      (log) => Array(5).fill(log) as AuditTrail[],
    );
    await Promise.all(
      writers.map(async (log, writer) => {
        for (let n = 0; n < each; n += 1) await log.record(entry(`${writer}-${n}`));
      }),
    );
    expect(await audit.verify()).toMatchObject({ checked: 50 * each, problem: undefined, anchor: { seq: 50 * each } });
    const order = await subjects();
    expect(new Set(order).size).toBe(50 * each);
    const ofWriter7 = order.filter((id) => id.startsWith('7-'));
    expect(ofWriter7).toEqual(Array.from({ length: each }, (_, n) => `7-${n}`));
  });
});

describe('an entry in a transaction', () => {
  it('stands if the transaction commits, and leaves no number out if it does not', async () => {
    await audit.record(entry('first'));
    const failed = database.db.transaction().execute(async (trx) => {
      await audit.record(entry('undone'), trx);
      throw new Error('the change failed');
    });
    await expect(failed).rejects.toThrow('the change failed');
    await database.db.transaction().execute((trx) => audit.record(entry('second'), trx));
    expect(await subjects()).toEqual(['first', 'second']);
    expect(await audit.verify()).toMatchObject({ checked: 2, problem: undefined });
  });

  it('does not make others wait while the transaction goes on', async () => {
    const other = openAuditLog({ db: otherProcess() });
    await database.db.transaction().execute(async (trx) => {
      await audit.record(entry('slow'), trx);
      await other.record(entry('quick-1'));
      await other.record(entry('quick-2'));
    });
    expect(await subjects()).toEqual(['quick-1', 'quick-2', 'slow']);
    expect((await audit.verify()).problem).toBeUndefined();
  });

  it('cannot be taken back by deleting the pending row', async () => {
    await database.db.transaction().execute(async (trx) => {
      await audit.record(entry('wanted gone'), trx);
      await trx.deleteFrom('audit_pending').execute();
    });
    expect(await subjects()).toEqual(['wanted gone']);
    expect((await audit.verify()).problem).toBeUndefined();
  });

  it('keeps the order of the transaction, several at once', async () => {
    await database.db.transaction().execute(async (trx) => {
      for (const id of ['a', 'b', 'c']) await audit.record(entry(id), trx);
    });
    expect(await subjects()).toEqual(['a', 'b', 'c']);
  });

  it('leaves nothing pending when the connection dies before the commit', async () => {
    const dying = otherProcess();
    const died = dying.transaction().execute(async (trx) => {
      await openAuditLog({ db: dying }).record(entry('lost'), trx);
      const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(trx);
      await sql`SELECT pg_terminate_backend(${rows[0]!.pid})`.execute(database.db);
      await sql`SELECT 1`.execute(trx);
    });
    await expect(died).rejects.toThrow();
    await audit.record(entry('after'));
    expect(await subjects()).toEqual(['after']);
    expect((await audit.verify()).problem).toBeUndefined();
  });
});

describe('what an entry may hold', () => {
  it('any text comes back as it was hashed: NUL, halves of surrogate pairs, quotes', async () => {
    const strange = 'a\0b\uD800c"\'\\ \u2028 \u{1F3E5}';
    await audit.record({
      actor: { ...actor, name: strange },
      action: 'x',
      subject: { kind: 'k', id: 'i' },
      reason: strange,
      details: { strange },
    });
    expect((await audit.verify()).problem).toBeUndefined();
    const [stored] = (await audit.list({}, { limit: 1 })).entries;
    expect(stored?.reason).toBe('a\uFFFDb\uFFFDc"\'\\ \u2028 \u{1F3E5}');
    expect(JSON.parse(stored!.details!)).toEqual({ strange });
  });

  it('long reasons are cut, so that the change is still recorded; long details are refused', async () => {
    await audit.record({ ...entry('1'), reason: 'r'.repeat(100_000) });
    expect((await audit.list({}, { limit: 1 })).entries[0]?.reason).toHaveLength(4001);
    await expect(audit.record({ ...entry('2'), details: { list: Array(2000).fill('xx') } })).rejects.toThrow(
      'Details of an audit entry have',
    );
    const nested = { ...entry('3'), details: { patient: { name: 'x' } } } as unknown as AuditEntry;
    await expect(audit.record(nested)).rejects.toMatchObject({ kind: 'bad-entry', where: 'patient' });
    expect((await audit.verify()).problem).toBeUndefined();
  });
});

describe('list', () => {
  beforeEach(async () => {
    let now = 0;
    const clock = () => {
      now += 1000;
      return new Date(now);
    };
    const log = openAuditLog({ db: database.db, clock });
    for (let n = 1; n <= 10; n += 1) {
      await log.record({ ...entry(`${n % 2}`, n > 5 ? 'user.locked' : 'user_locked'), requestId: `r${n}` });
    }
  });

  it('gives pages, newest first, that neither repeat nor leave out when entries are added meanwhile', async () => {
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await audit.list({}, cursor === undefined ? { limit: 3 } : { limit: 3, cursor });
      seen.push(...page.entries.map(({ seq }) => seq));
      cursor = page.next;
      await audit.record(entry('meanwhile'));
    } while (cursor !== undefined);
    expect(seen).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    await expect(audit.list({}, { limit: 3, cursor: '1; DROP' })).rejects.toMatchObject({ kind: 'bad-cursor' });
  });

  it.each([
    [{ action: 'user.' }, [10, 9, 8, 7, 6]],
    [{ action: 'user_locked' }, [5, 4, 3, 2, 1]],
    [{ action: 'user_' }, []],
    [{ subjectKind: 'job', subjectId: '0' }, [10, 8, 6, 4, 2]],
    [{ actorId: 'key-2' }, []],
    [{ actorKind: 'key', requestId: 'r3' }, [3]],
    [{ after: new Date(3000), before: new Date(5000) }, [4, 3]],
  ] as const)('filters by %o', async (filter, seqs) => {
    const { entries } = await audit.list(filter, { limit: 100 });
    expect(entries.map(({ seq }) => seq)).toEqual(seqs);
  });
});
