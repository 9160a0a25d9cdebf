/** A version whose commit was done, but whose answer never came, keeps its bytes although the call that added it failed. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../state/database.js';
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

class Lost extends Error {}

/** The same database, which loses the answer of the first commit after `arm`. */
function losingDatabase(db: Database): { readonly db: Database; arm(): void } {
  let armed = false;
  const proxy = new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'transaction')
        return () => ({
          execute: async (work: Parameters<ReturnType<Database['transaction']>['execute']>[0]) => {
            const done = await target.transaction().execute(work);
            if (!armed) return done;
            armed = false;
            throw new Lost('the connection ended');
          },
        });
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    db: proxy,
    arm: () => {
      armed = true;
    },
  };
}

it('the model is there and can be used', async () => {
  const losing = losingDatabase(test.db);
  const registry = await test.open({ db: losing.db });
  const path = writeBundle(join(root.path, 'boxes'));
  losing.arm();
  await expect(registry.add(path, {}, SCIENTIST)).rejects.toThrow(Lost);
  const version = await registry.version('boxes:1.0.0');
  expect(version?.address).toBe('boxes:1.0.0');
  await test.blobs.sweep();
  expect((await registry.materialise(version?.id ?? '')).folder).toContain('boxes');
});
