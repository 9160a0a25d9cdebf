/**
 * `set_environment.sh` of InnerEye-Inference: a file of assignments, for the variables that the environment lacks
 * (specs/protocols.md 1.11). It is read, never run: nothing is expanded.
 */
import { readFileSync } from 'node:fs';
import { ConfigurationError } from './configuration-error.js';

/** Those that mean something here. */
export const TAKEN = ['CUSTOMCONNSTR_API_AUTH_SECRET', 'EXPERIMENT_NAME', 'IMAGE_DATA_FOLDER'] as const;

/** Where the old product ran its models: accepted, so that the same file works, and without effect. */
export const IGNORED = [
  'CUSTOMCONNSTR_AZUREML_SERVICE_PRINCIPAL_SECRET',
  'CLUSTER',
  'WORKSPACE_NAME',
  'RESOURCE_GROUP',
  'SUBSCRIPTION_ID',
  'APPLICATION_ID',
  'TENANT_ID',
  'DATASTORE_NAME',
] as const;

export interface EnvironmentFile {
  readonly path: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Numbers of lines that are neither assignments, comments nor blank. */
  readonly unread: readonly number[];
}

/** A page of shell is some kilobytes. */
const LARGEST = 1 << 20;

/** Undefined when there is none and none was `demanded`. Throws ConfigurationError `unreadable-file`. */
export function readEnvironmentFile(path: string, demanded: boolean): EnvironmentFile | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (!demanded && ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new ConfigurationError('unreadable-file', 'The file of variables cannot be read', { where: path, cause });
  }
  if (bytes.length > LARGEST)
    throw new ConfigurationError('unreadable-file', `The file of variables is larger than ${LARGEST} bytes`, {
      where: path,
    });
  return { path, ...parseEnvironmentFile(bytes.toString('utf8')) };
}

/**
 * The last of several assignments wins. Kinder than the original, which gave up all of a file with a blank line: one
 * `export` in front goes, and so do quotes around a value.
 */
export function parseEnvironmentFile(text: string): Pick<EnvironmentFile, 'variables' | 'unread'> {
  const variables: Record<string, string> = {};
  const unread: number[] = [];
  for (const [n, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const assignment = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/s.exec(line);
    if (assignment === null) unread.push(n + 1);
    else variables[(assignment[1] as string).toUpperCase()] = unquoted((assignment[2] as string).trim());
  }
  return { variables, unread };
}

function unquoted(value: string): string {
  const [, , inside] = /^(["'])(.*)\1$/s.exec(value) ?? [];
  return inside ?? value;
}
