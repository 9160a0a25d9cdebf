/** Whatever fails while a model is added: no row, no blob, no folder stays, and the same call works afterwards. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Blobs } from '../blobs/blobs.js';
import { tableAudit } from '../blobs/test-blobs.suite.js';
import { SCIENTIST, scratch, type TestRegistry, testRegistry, writeBundle } from './test-registry.suite.js';

const root = scratch();
let test: TestRegistry;

beforeAll(async () => {
  test = await testRegistry();
});
afterAll(async () => {
  await test.close();
  root.remove();
});

class Planted extends Error {}

function failing(method: keyof Blobs): Blobs {
  return {
    ...test.blobs,
    [method]: async () => {
      throw new Planted(`planted in ${method}`);
    },
  };
}

it.each<[string, () => Parameters<TestRegistry['open']>[0]]>([
  ['the store takes no bytes', () => ({ blobs: failing('write') })],
  [
    'the store stops in the middle',
    () => ({
      blobs: {
        ...test.blobs,
        write: (source, about) =>
          test.blobs.write(
            (async function* () {
              for await (const chunk of source) {
                yield chunk.subarray(0, 10);
                throw new Planted('planted in the stream');
              }
            })(),
            about,
          ),
      },
    }),
  ],
  ['the blob cannot be kept', () => ({ blobs: failing('keep') })],
  [
    'the audit log refuses',
    () => ({
      audit: {
        record: async (entry, executor) => {
          await tableAudit(test.db).record(entry, executor);
          if (entry.action === 'model.added') throw new Planted('planted in the audit log');
        },
      },
    }),
  ],
])('when %s', async (_title, options) => {
  const folder = writeBundle(join(root.path, 'b'), { name: 'half' });
  const before = await test.storedBlobs();
  const broken = await test.open(options());
  await expect(broken.add(folder, {}, SCIENTIST)).rejects.toThrow(Planted);
  expect(await test.addedRows()).toBe(0);
  expect(await test.storedBlobs()).toBe(before);
  expect(readdirSync(test.cacheFolder).filter((name) => name.startsWith('.'))).toEqual([]);
  expect(await test.registry.version('half')).toBeUndefined();
  const added = await test.registry.add(folder, {}, SCIENTIST);
  expect((await test.registry.materialise(added.id)).sha256).toBe(added.sha256);
  await test.registry.remove(added.id, SCIENTIST);
  expect(await test.addedRows()).toBe(0);
  expect(await test.storedBlobs()).toBe(before);
});
