import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM } from '../accounts/actor.js';
import { openAuditLog } from '../audit/open-audit-log.js';
import { type TestDatabase, testDatabase } from '../state/test-database.suite.js';
import { auditFigures, blobFigures } from './database-figures.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(() => database.close());

describe('figures', () => {
  it('of blobs are counts and bytes by purpose, of those whose bytes are there', async () => {
    const { db } = database;
    expect(await blobFigures(db)).toEqual({});
    const blob = (purpose: 'result' | 'study', state: 'stored' | 'erased', bytes: number) => {
      const id = randomUUID();
      return { id, key: id, purpose, state, bytes, created_at: new Date(), created_by_kind: 'system', created_by: 'x' };
    };
    await db
      .insertInto('blob')
      .values([
        blob('result', 'stored', 5),
        blob('result', 'stored', 7),
        blob('study', 'stored', 3),
        blob('study', 'erased', 100),
      ])
      .execute();
    expect(await blobFigures(db)).toEqual({ result: { count: 2, bytes: 12 }, study: { count: 1, bytes: 3 } });
  });

  it('of the audit log are its entries', async () => {
    const { db } = database;
    const before = (await auditFigures(db)).entries;
    await openAuditLog({ db }).record({ actor: SYSTEM, action: 'test.done', subject: { kind: 'test', id: 'x' } });
    expect((await auditFigures(db)).entries).toBe(before + 1);
  });
});
