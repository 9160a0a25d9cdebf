/** Makes the database folder: under another name first, so that a kill in the middle leaves nothing that looks like a database. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, cp, lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { writeFileAtomic } from '@isocenter/formats';
import { StateError } from '../state-error.js';
import type { Location } from './location.js';
import { binariesIn, type PostgresBinaries } from './platform-binaries.js';
import { canReach, type RunAs } from './run-as.js';
import { postgresEnvironment } from './settings.js';

/** PostgreSQL's own administrator, used for making our role and database only. */
export const SUPERUSER = 'postgres';

/**
 * Throws StateError `start-failed`. The lock of the server is held: nobody else makes the same folder.
 * `sync: false` only for tests.
 */
export async function initialise(
  location: Location,
  binaries: PostgresBinaries,
  runAs: RunAs | undefined,
  { sync = true } = {},
): Promise<void> {
  const parent = dirname(location.folder);
  const prefix = `.${basename(location.folder)}.new-`;
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix))
      await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  const making = join(parent, `${prefix}${randomBytes(6).toString('hex')}`);
  try {
    await makeFolder(making, runAs);
    await makeFolder(join(making, 'run'), runAs);
    const password = join(making, 'password');
    await writeFileAtomic(password, [Buffer.from(randomBytes(24).toString('base64url'))]);
    await chmod(password, 0o600);
    if (runAs) await chown(password, runAs.uid, runAs.gid);
    await promisify(execFile)(binaries.initdb, initdbArguments(making, sync), {
      ...runAs,
      env: postgresEnvironment,
      cwd: making,
    });
    await rename(making, location.folder);
  } catch (cause) {
    await rm(making, { recursive: true, force: true }).catch(() => undefined);
    const { stderr } = cause as { readonly stderr?: string };
    const reason = stderr?.split('\n').find((line) => /error|fatal|could not/i.test(line)) ?? (cause as Error).message;
    throw new StateError('start-failed', `The embedded database could not be made: ${reason.trim()}`, {
      next: 'See that the data directory is on a local disk with free space.',
      cause,
    });
  }
}

function initdbArguments(folder: string, sync: boolean): string[] {
  return [
    ...['-D', join(folder, 'data'), '-U', SUPERUSER, '--pwfile', join(folder, 'password')],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-instructions'],
    // The built-in collation does not change with the C library, so that indexes survive an upgrade of the system.
    ...['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    // The password is 192 random bits: stretching it would only slow down each connection.
    ...['-c', 'scram_iterations=1'],
    ...(sync ? [] : ['--no-sync', '--wal-segsize=1']),
  ];
}

const OTHERS = 0o077;

/** Closed to all others, of the account that PostgreSQL runs as. What is there must be ours. */
export async function makeFolder(path: string, runAs: RunAs | undefined): Promise<void> {
  const made = await mkdir(path, { recursive: false, mode: 0o700 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  if (made && runAs) await chown(path, runAs.uid, runAs.gid);
  if (made) return;
  // Not followed: below the system's temporary folder anybody could have put a link here, to a folder that is ours.
  const info = await lstat(path);
  const wanted = runAs?.uid ?? process.getuid?.();
  if (!info.isDirectory() || (wanted !== undefined && info.uid !== wanted)) {
    throw new StateError('start-failed', 'A folder that the embedded database needs belongs to somebody else.', {
      where: basename(path),
      next: 'Remove it, or give it back to the account that ran Isocenter before.',
    });
  }
  if ((info.mode & OTHERS) !== 0) await chmod(path, 0o700);
}

/** The programs where `runAs` can run them: as npm put them, or copied once out of a closed folder such as /root. */
export async function reachableBinaries(
  binaries: PostgresBinaries,
  runAs: RunAs | undefined,
  place = '/var/lib/isocenter',
): Promise<PostgresBinaries> {
  if (runAs === undefined || (await canReach(binaries.postgres, runAs))) return binaries;
  const folder = join(place, `postgres-programs-${binaries.version}`);
  const copied = binariesIn(folder, binaries.version);
  const there = await stat(folder).then(
    () => true,
    () => false,
  );
  if (there) return copied;
  await mkdir(place, { recursive: true, mode: 0o755 });
  const making = `${folder}.new-${randomBytes(6).toString('hex')}`;
  await cp(binaries.folder, making, { recursive: true, verbatimSymlinks: true });
  await chmod(making, 0o755);
  await rename(making, folder).catch(async (error: NodeJS.ErrnoException) => {
    await rm(making, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  return copied;
}
