/** Two servers that are the same installation must not share a store: each would erase what the other wrote since. */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SYSTEM } from '../accounts/actor.js';
import { readConfiguration } from '../configuration/read-configuration.js';
import { openState } from '../state/open-state.js';
import { backUp, restoreServer } from './back-up.js';
import { openCore } from './open-core.js';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-restore-'));
// Root's PostgreSQL runs as somebody else, who must reach it.
chmodSync(folder, 0o711);
const file = join(folder, 'backup.zip');
const original = configuration('original');

function configuration(home: string, more: Readonly<Record<string, string>> = {}) {
  return readConfiguration({ environment: {}, flags: { home: join(folder, home), diskReserveMegabytes: '1', ...more } })
    .values;
}

beforeAll(async () => {
  const state = await openState({ home: original.home });
  const core = await openCore(original, state);
  async function* bytes() {
    yield Buffer.from('a result');
  }
  const { id } = await core.blobs.write(bytes(), { purpose: 'result', actor: SYSTEM });
  await state.db.transaction().execute((tx) => core.blobs.keep(id, { kind: 'result', id: randomUUID() }, tx));
  await core.close();
  await backUp(original, file, false);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('is refused on the store of the original, and nothing is made', async () => {
  const shared = configuration('drill', { blobStore: `file://${join(original.home, 'blobs')}` });
  await expect(restoreServer(shared, file, false)).rejects.toMatchObject({ kind: 'not-empty', where: 'blobStore' });
  await expect(restoreServer(shared, file, true)).resolves.toMatchObject({ blobs: 1 });
});

it('works with a store of its own', async () => {
  await expect(restoreServer(configuration('copy'), file, false)).resolves.toMatchObject({ blobs: 1, missing: [] });
});
