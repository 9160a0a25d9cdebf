/**
 * A restore that is tried beside the running original writes to the keys that the original uses. When it fails, what it brought is
 * taken back, and what was there before stays.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { blobKey } from '../blobs/blob-store.js';
import { openFileStore } from '../blobs/file-store.js';
import { backupTarget } from './backup-blobs.js';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-restore-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function* text(value: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(value);
}

it('objects that were in the store before a restore are there after its failure, with their bytes', async () => {
  const store = await openFileStore(folder);
  const content = 'a result';
  const sha256 = createHash('sha256').update(content).digest('hex');
  const blob = () => ({ id: randomUUID(), key: `original/aa/${randomUUID()}`, bytes: content.length, sha256 });
  const [kept, brought] = [blob(), blob()];
  await store.put(blobKey(kept.key), text(content));

  const target = backupTarget(store);
  for (const one of [kept, brought]) await target.put(one, text(content));
  for (const one of [kept, brought]) await target.discard(one);
  expect(await store.head(blobKey(kept.key))).toMatchObject({ bytes: content.length });
  expect(await store.head(blobKey(brought.key))).toBeUndefined();
});
