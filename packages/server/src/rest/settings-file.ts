/**
 * Settings as the API shows and changes them. A change is written into the configuration file and holds from the next
 * start: what runs keeps what it was started with, and every change can be read and undone in one place.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadConfiguration } from '../configuration/configuration.js';
import { describeConfiguration } from '../configuration/describe-configuration.js';
import type { Setting } from '../configuration/setting.js';
import { type Settings, settings } from '../configuration/settings.js';
import { writeSecret } from '../state/write-secret.js';
import { notFound, RestError } from './rest-error.js';

export interface SettingView {
  readonly name: string;
  readonly value: unknown;
  readonly origin: 'default' | 'file' | 'environment' | 'flag';
  readonly environment: string;
  readonly about: string;
  readonly changeable: boolean;
  readonly waiting?: unknown;
}

/** Where data and secrets lie is decided on the machine, not over the network. */
const FIXED: ReadonlySet<string> = new Set([
  'home',
  'databaseUrl',
  'blobStore',
  'oidc',
  'environmentFile',
  'imageDataFolder',
]);

export class SettingsFile {
  readonly #configuration: ReadConfiguration;
  readonly #path: string;
  /** Changes one after the other: each reads what the one before wrote. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(configuration: ReadConfiguration) {
    this.#configuration = configuration;
    this.#path = configuration.file ?? join(configuration.values.home, 'config.json');
  }

  async list(): Promise<readonly SettingView[]> {
    const written = await this.#read();
    return describeConfiguration(this.#configuration).map(({ key, value, origin, environment, about }) => {
      const { secret, schema, fallback }: Setting = settings[key as keyof Settings];
      const changeable = !FIXED.has(key) && !secret && (origin === 'default' || origin === 'file');
      const next = Object.hasOwn(written, key) ? schema.safeParse(written[key]).data : fallback;
      const waits = changeable && JSON.stringify(next ?? null) !== JSON.stringify(value ?? null);
      return { name: key, value, origin, environment, about, changeable, ...(waits ? { waiting: next ?? null } : {}) };
    });
  }

  /** Throws RestError `not-found`. */
  async get(name: string): Promise<SettingView> {
    const found = (await this.list()).find((setting) => setting.name === name);
    if (!found) throw notFound('setting', 'GET /isocenter/v1/settings lists them.');
    return found;
  }

  /**
   * Null takes it out of the file. `record` is called before anything is written: without its entry there is no change. Throws
   * RestError `not-found`, `not-changeable`, `bad-value`, and what `record` throws; then the file is as it was.
   */
  async change(name: string, value: unknown, record: () => Promise<void>): Promise<SettingView> {
    const setting = await this.get(name);
    if (!setting.changeable)
      throw new RestError('not-changeable', `The setting ${name} is fixed where the server is started`, {
        where: name,
        next: FIXED.has(name)
          ? `Set it in the configuration file, by ${setting.environment} or a flag.`
          : `It comes from the ${setting.origin}: change it there.`,
      });
    const { schema, about }: Setting = settings[name as keyof Settings];
    const parsed = value === null ? undefined : schema.safeParse(value);
    if (parsed && !parsed.success)
      throw new RestError('bad-value', `This is no value of ${name}: ${parsed.error.issues[0]?.message ?? ''}`, {
        where: ['value', ...(parsed.error.issues[0]?.path ?? [])].join('.'),
        next: about,
      });
    const written = this.#last.then(async () => {
      await record();
      await this.#write(name, parsed?.data);
    });
    this.#last = written.catch(() => undefined);
    await written;
    return this.get(name);
  }

  async #write(name: string, value: unknown): Promise<void> {
    const { [name]: _, ...others } = await this.#read();
    const content = value === undefined ? others : { ...others, [name]: value };
    // For its owner only: secrets may stand in the same file.
    await writeSecret(this.#path, `${JSON.stringify(content, undefined, 2)}\n`);
  }

  async #read(): Promise<Record<string, unknown>> {
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    return JSON.parse(text) as Record<string, unknown>;
  }
}
