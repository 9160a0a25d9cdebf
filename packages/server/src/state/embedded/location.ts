/**
 * Where the embedded database lies: `<home>/postgres`, or below /var/lib when we are root and the account of PostgreSQL cannot walk
 * into home (a folder below /root). The choice is written down in home, so that a later start never begins a second, empty database.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { writeFileAtomic } from '@isocenter/formats';
import { StateError } from '../state-error.js';
import { canReach, type RunAs } from './run-as.js';

export interface Location {
  /** Holds data, run, log and the password; belongs to the account of PostgreSQL, closed to others. */
  readonly folder: string;
  readonly data: string;
  readonly password: string;
  readonly log: string;
  /** Of the Unix socket; at most 90 bytes. */
  readonly run: string;
  /** In the titles of all its processes, by which we know them again. */
  readonly clusterName: string;
  readonly exists: boolean;
  /** Written down in home, after its role and database had been made: nothing is left to do at a start. */
  readonly settled: boolean;
}

const POINTER = 'postgres.json';
const SYSTEM_FOLDER = '/var/lib/isocenter';
/** sockaddr_un holds 108 bytes on Linux, 104 on macOS, with `/.s.PGSQL.5432` and the final zero. */
const LONGEST_RUN_FOLDER = 88;

/** `home` must exist. Throws StateError `data-missing` when the database that was there is gone. */
export async function locate(home: string, runAs: RunAs | undefined): Promise<Location> {
  const realHome = await realpath(home);
  const pointer = await readPointer(realHome);
  if (pointer !== undefined) {
    const folder = isAbsolute(pointer) ? pointer : join(realHome, pointer);
    const location = locationOf(folder, await isFolder(join(folder, 'data')), true);
    if (!location.exists) {
      throw new StateError('data-missing', 'The database of this data directory is gone.', {
        where: `${POINTER} in the data directory names its folder`,
        next: `Bring the folder back, or delete ${POINTER} to begin with an empty database and restore a backup into it.`,
      });
    }
    return location;
  }
  const usual = join(realHome, 'postgres');
  if (runAs === undefined || (await canReach(usual, runAs)))
    return locationOf(usual, await isFolder(join(usual, 'data')));
  await mkdir(SYSTEM_FOLDER, { recursive: true, mode: 0o755 });
  // Never the same name again: who removes home and makes it anew shall not find the old database in it.
  return locationOf(join(SYSTEM_FOLDER, `postgres-${randomBytes(8).toString('hex')}`), false);
}

/** Once, after the role and the database have been made. */
export async function rememberLocation(home: string, { folder }: Location): Promise<void> {
  const realHome = await realpath(home);
  const usual = join(realHome, 'postgres');
  const text = `${JSON.stringify({ folder: folder === usual ? 'postgres' : folder })}\n`;
  await writeFileAtomic(join(realHome, POINTER), [Buffer.from(text)]);
}

export function locationOf(folder: string, exists: boolean, settled = false): Location {
  const run = join(folder, 'run');
  const id = shortHash(folder);
  return {
    folder,
    data: join(folder, 'data'),
    password: join(folder, 'password'),
    log: join(folder, 'postgres.log'),
    run: Buffer.byteLength(run) <= LONGEST_RUN_FOLDER ? run : join(tmpdir(), `isocenter-${id}`),
    clusterName: `isocenter-${id}`,
    exists,
    settled,
  };
}

const SHORT_HASH_DIGITS = 16;

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, SHORT_HASH_DIGITS);
}

async function readPointer(home: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(join(home, POINTER), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { folder } = JSON.parse(text) as { readonly folder: string };
  return folder;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
