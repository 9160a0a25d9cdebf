/** Puts the configuration together: defaults, then the file, then the environment, then flags; later ones win. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Configuration, Origin, ReadConfiguration } from './configuration.js';
import { ConfigurationError } from './configuration-error.js';
import { IGNORED, readEnvironmentFile, TAKEN } from './environment-file.js';
import { environmentName, type Setting } from './setting.js';
import { type Settings, settings } from './settings.js';

export { ConfigurationError, type ConfigurationErrorKind } from './configuration-error.js';

export interface ConfigurationSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values by key, as text from the command line; undefined ones are not set. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  /** Default: `config.json` in the data directory, when there is one. */
  readonly file?: string;
}

const keys = Object.keys(settings) as (keyof Settings)[];

/** Throws ConfigurationError that names the setting, its source and what would be right. */
export function readConfiguration(sources: ConfigurationSources): ReadConfiguration {
  const { flags = {}, file } = sources;
  const ofProcess = sources.environment;
  const home = resolve(flags.home ?? ofProcess[environmentName('home', settings.home)] ?? settings.home.fallback);
  const path = file ?? join(home, 'config.json');
  const fromFile = readFile(path, file !== undefined);
  for (const key of Object.keys(fromFile ?? {})) known(key, path);
  for (const key of Object.keys(flags)) known(key, 'command line');
  for (const name of Object.keys(ofProcess)) knownVariable(name);
  const ofFile = readEnvironmentFile(...environmentFileOf(home, flags, ofProcess, fromFile));
  // An empty variable of the process counts as set, as in the original.
  const environment = { ...pick(ofFile?.variables ?? {}, TAKEN), ...ofProcess };
  const values: Record<string, unknown> = {};
  const origins = {} as Record<keyof Settings, Origin>;
  for (const key of keys) {
    const one: Setting = settings[key];
    const variable = environmentName(key, one);
    const text = environment[variable];
    if (flags[key] !== undefined) {
      values[key] = parse(key, one, fromText(flags[key]), flags[key], `--${dashed(key)}`);
      origins[key] = 'flag';
    } else if (text !== undefined && text !== '') {
      values[key] = parse(key, one, fromText(text), text, variable);
      origins[key] = 'environment';
    } else if (fromFile && Object.hasOwn(fromFile, key)) {
      values[key] = parse(key, one, fromFile[key], undefined, path);
      origins[key] = 'file';
    } else {
      values[key] = one.fallback;
      origins[key] = 'default';
    }
  }
  values.home = isAbsolute(String(values.home)) ? values.home : resolve(String(values.home));
  return {
    values: Object.freeze(values) as Configuration,
    origins,
    file: fromFile ? path : undefined,
    environmentFile: ofFile && {
      path: ofFile.path,
      taken: Object.keys(pick(ofFile.variables, TAKEN)),
      unread: ofFile.unread,
    },
    ignored: Object.keys(pick({ ...ofFile?.variables, ...ofProcess }, IGNORED)),
  };
}

/** Path, and whether it must be there. */
function environmentFileOf(
  home: string,
  flags: Readonly<Record<string, string | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
  fromFile: Record<string, unknown> | undefined,
): [string, boolean] {
  const key = 'environmentFile';
  const named = flags[key] ?? (environment[environmentName(key, settings[key])] || fromFile?.[key]);
  return typeof named === 'string' ? [resolve(named), true] : [join(home, 'set_environment.sh'), false];
}

function pick(
  variables: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string | undefined> {
  return Object.fromEntries(names.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])));
}

/** Numbers, booleans, lists and objects are JSON; anything else is text. */
function fromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function parse(
  key: string,
  { schema, secret }: Setting,
  value: unknown,
  text: string | undefined,
  source: string,
): unknown {
  const first = schema.safeParse(value);
  if (first.success) return first.data;
  // "8042" as a text setting, or `10.0.0.0/8,fe80::/10` as a list.
  const others = text === undefined ? [] : [text, text.split(',').map((part) => part.trim())];
  for (const other of others) {
    const again = schema.safeParse(other);
    if (again.success) return again.data;
  }
  const [issue] = first.error.issues;
  const place = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
  throw new ConfigurationError(
    'bad-value',
    `The setting "${key}" is not valid${place}: ${secret ? 'wrong form' : issue.message}`,
    {
      where: source,
      next: settings[key as keyof Settings].about,
    },
  );
}

function readFile(path: string, demanded: boolean): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    // ENOTDIR: the data directory would lie below a file; who makes it says so.
    if (!demanded && ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new ConfigurationError('unreadable-file', 'The configuration file cannot be read', { where: path, cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // The parser's own words quote the text around the fault, and a password may stand there.
    throw new ConfigurationError('unreadable-file', 'The configuration file is not JSON', {
      where: path,
      next: 'Check it with a JSON parser: a comma or a quotation mark is missing or too many.',
    });
  }
  throw new ConfigurationError('unreadable-file', 'The configuration file is not an object of settings', {
    where: path,
    next: 'Write {"port": 8042}; `isocenter config` lists the keys.',
  });
}

function known(key: string, where: string): void {
  if (Object.hasOwn(settings, key)) return;
  throw new ConfigurationError('unknown-setting', `There is no setting "${key}"`, {
    where,
    next: '`isocenter config` lists them all.',
  });
}

/** Variables of the same family that belong to tests, benches and other tools. */
const FOREIGN = new Set(['ISOCENTER_PYTHON', 'ISOCENTER_PEERS', 'ISOCENTER_LONG', 'ISOCENTER_KEY', 'ISOCENTER_URL']);
const variables = new Set(keys.map((key) => environmentName(key, settings[key])));

/** A mistyped variable would otherwise be passed over in silence. */
function knownVariable(name: string): void {
  if (!name.startsWith('ISOCENTER_') || variables.has(name) || FOREIGN.has(name) || name.startsWith('ISOCENTER_TEST_'))
    return;
  throw new ConfigurationError('unknown-setting', `The variable ${name} sets nothing`, {
    where: 'environment',
    next: '`isocenter config` lists the names.',
  });
}

export function dashed(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
