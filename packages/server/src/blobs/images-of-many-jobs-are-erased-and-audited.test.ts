/**
 * An entry of the audit log takes 4 KB. However many jobs a study served, its erasure is recorded, and never stands in the way of
 * other erasures.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openAuditLog } from '../audit/open-audit-log.js';
import { job, type TestBlobs, testBlobs, write } from './test-blobs.suite.js';

const JOBS = 150;

let test: TestBlobs;
beforeEach(async () => {
  test = await testBlobs();
});
afterEach(() => test.close());

it('the images of a study that 150 jobs used are erased with an entry in the real log', async () => {
  const { db } = test;
  const log = openAuditLog({ db });
  const blobs = await test.another({ audit: log });
  const { id } = await write(blobs, 'study', 'images');
  const owners = Array.from({ length: JOBS }, () => job(randomUUID()));
  for (const owner of owners) await blobs.keep(id, owner, db);
  for (const owner of owners) await blobs.release(id, 'its job ended', db, owner);
  await blobs.eraseReleased([id]);

  const row = await db.selectFrom('blob').select('state').where('id', '=', id).executeTakeFirstOrThrow();
  expect(row.state).toBe('erased');
  const { entries } = await log.list({ action: 'images.erased', subjectId: id }, { limit: 10 });
  expect(entries).toHaveLength(1);
  const details = JSON.parse(entries[0]?.details ?? '{}') as { owners: string[]; ownersNotNamed: number };
  expect(details.owners.length + details.ownersNotNamed).toBe(JOBS);
});
