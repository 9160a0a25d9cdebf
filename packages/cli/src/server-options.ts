/** The options that all commands about a server share, and the configuration they make. */
import { ConfigurationError, type ReadConfiguration, readConfiguration } from '@isocenter/server';

export interface ServerOptions {
  readonly home?: string;
  readonly host?: string;
  readonly port?: string;
  readonly workers?: string;
  readonly databaseUrl?: string;
  readonly blobStore?: string;
  readonly config?: string;
  readonly set?: readonly string[];
}

/** Throws ConfigurationError. */
export function configurationOf(options: ServerOptions): ReadConfiguration {
  const flags: Record<string, string | undefined> = {};
  for (const text of options.set ?? []) {
    const at = text.indexOf('=');
    if (at < 1)
      throw new ConfigurationError('bad-value', 'A setting is given as key=value', {
        where: `--set ${text}`,
        next: '`isocenter config` lists the keys.',
      });
    flags[text.slice(0, at)] = text.slice(at + 1);
  }
  const { home, host, port, workers, databaseUrl, blobStore, config } = options;
  Object.assign(flags, { ...flags, ...defined({ home, host, port, workers, databaseUrl, blobStore }) });
  return readConfiguration({ environment: process.env, flags, ...(config ? { file: config } : {}) });
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
