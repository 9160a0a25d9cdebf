/** What administrators change while the server runs, each key with a schema. The caller audits. */
import type { z } from 'zod';
import type { Executor } from './database.js';
import { StateError } from './state-error.js';

export interface SettingKey<S extends z.ZodType = z.ZodType> {
  /** Dotted lower-case words. */
  readonly key: string;
  readonly schema: S;
  /** What holds until somebody sets it. */
  readonly initial: z.output<S>;
}

/** Keeps the types of a key: `settingKey('notices.banner', z.string(), '')`. */
export function settingKey<S extends z.ZodType>(key: string, schema: S, initial: z.output<S>): SettingKey<S> {
  return Object.freeze({ key, schema, initial });
}

export interface StoredSetting<T> {
  readonly value: T;
  /** Undefined: never set. */
  readonly updatedAt?: Date;
  readonly updatedBy?: string;
}

export interface Settings {
  /** Throws StateError `bad-setting` when what is stored no longer fits the schema. */
  get<S extends z.ZodType>(key: SettingKey<S>, executor?: Executor): Promise<z.output<S>>;
  read<S extends z.ZodType>(key: SettingKey<S>, executor?: Executor): Promise<StoredSetting<z.output<S>>>;
  /** Throws StateError `bad-setting`. With `executor` in the transaction that also writes the audit entry. */
  set<S extends z.ZodType>(key: SettingKey<S>, value: z.input<S>, by: string, executor?: Executor): Promise<void>;
  /** Back to what holds initially. */
  clear(key: SettingKey, executor?: Executor): Promise<void>;
}

export class StoredSettings implements Settings {
  readonly #db: Executor;

  constructor(db: Executor) {
    this.#db = db;
  }

  async get<S extends z.ZodType>(key: SettingKey<S>, executor?: Executor): Promise<z.output<S>> {
    return (await this.read(key, executor)).value;
  }

  async read<S extends z.ZodType>(
    key: SettingKey<S>,
    executor: Executor = this.#db,
  ): Promise<StoredSetting<z.output<S>>> {
    const row = await executor
      .selectFrom('setting')
      .select(['value', 'updated_at', 'updated_by'])
      .where('key', '=', key.key)
      .executeTakeFirst();
    if (!row) return { value: key.initial };
    return { value: check(key, row.value), updatedAt: row.updated_at, updatedBy: row.updated_by };
  }

  async set<S extends z.ZodType>(
    key: SettingKey<S>,
    value: z.input<S>,
    by: string,
    executor: Executor = this.#db,
  ): Promise<void> {
    check(key, value);
    const row = { value: JSON.stringify(value), updated_at: new Date(), updated_by: by };
    await executor
      .insertInto('setting')
      .values({ key: key.key, ...row })
      .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
      .execute();
  }

  async clear(key: SettingKey, executor: Executor = this.#db): Promise<void> {
    await executor.deleteFrom('setting').where('key', '=', key.key).execute();
  }
}

function check<S extends z.ZodType>({ key, schema }: SettingKey<S>, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new StateError('bad-setting', `The setting ${key} cannot have this value: ${issue?.message}`, {
    where: [key, ...(issue?.path ?? [])].join('.'),
  });
}
