import { afterAll, beforeAll, expect, it } from 'vitest';
import { StoredSettings } from '../state/settings.js';
import { testDatabase } from '../state/test-database.suite.js';
import { rememberedMemory } from './remembered-memory.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

it('remembers what runs took, model by model', async () => {
  const state = { db: database.db, settings: new StoredSettings(database.db) };
  const first = await rememberedMemory(state);
  expect(first.learnt).toEqual({});
  first.onLearnt('aa', [{ inputBytes: 1, peakBytes: 2 }]);
  await expect.poll(async () => Object.keys((await rememberedMemory(state)).learnt)).toEqual(['aa']);
  first.onLearnt('bb', [{ inputBytes: 3, peakBytes: 4 }]);
  await expect
    .poll(async () => (await rememberedMemory(state)).learnt)
    .toEqual({ aa: [{ inputBytes: 1, peakBytes: 2 }], bb: [{ inputBytes: 3, peakBytes: 4 }] });
});
