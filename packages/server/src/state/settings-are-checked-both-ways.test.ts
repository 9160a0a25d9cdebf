/** A setting is what its schema says, when it is written and when it is read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { StoredSettings, settingKey } from './settings.js';
import { type TestDatabase, testDatabase } from './test-database.suite.js';

const banner = settingKey(
  'notices.banner',
  z.strictObject({ text: z.string().max(20), level: z.enum(['info', 'warn']) }),
  {
    text: '',
    level: 'info',
  },
);

describe('settings', () => {
  let database: TestDatabase;
  let settings: StoredSettings;
  beforeAll(async () => {
    database = await testDatabase();
    settings = new StoredSettings(database.db);
  });
  afterAll(() => database.close());

  it('hold their initial value until somebody sets them, and say who did', async () => {
    expect(await settings.read(banner)).toEqual({ value: { text: '', level: 'info' } });
    await settings.set(banner, { text: 'Back at noon', level: 'warn' }, 'account-1');
    await settings.set(banner, { text: 'Back at one', level: 'warn' }, 'account-2');
    expect(await settings.read(banner)).toMatchObject({
      value: { text: 'Back at one', level: 'warn' },
      updatedBy: 'account-2',
      updatedAt: expect.any(Date),
    });
    await settings.clear(banner);
    expect(await settings.get(banner)).toEqual(banner.initial);
  });

  it('refuse a value that does not fit, and keep the old one', async () => {
    await expect(
      settings.set(banner, { text: 'x', level: 'loud' } as unknown as typeof banner.initial, 'a'),
    ).rejects.toMatchObject({ kind: 'bad-setting', where: 'notices.banner.level' });
    expect(await settings.get(banner)).toEqual(banner.initial);
  });

  it('tell when what is stored no longer fits', async () => {
    await database.db.insertInto('setting').values({ key: banner.key, value: '7', updated_by: 'older' }).execute();
    await expect(settings.get(banner)).rejects.toMatchObject({ kind: 'bad-setting', where: 'notices.banner' });
  });

  it('change with the transaction of their audit entry, or not at all', async () => {
    await settings.clear(banner);
    const failed = database.db.transaction().execute(async (transaction) => {
      await settings.set(banner, { text: 'never', level: 'info' }, 'a', transaction);
      throw new Error('the audit entry failed');
    });
    await expect(failed).rejects.toThrow('audit');
    expect(await settings.get(banner)).toEqual(banner.initial);
  });

  it('may be plain values', async () => {
    const hours = settingKey('results.hours', z.number().positive().nullable(), null);
    await settings.set(hours, 12.5, 'a');
    expect(await settings.get(hours)).toBe(12.5);
    await settings.set(hours, null, 'a');
    expect(await settings.get(hours)).toBeNull();
  });
});
