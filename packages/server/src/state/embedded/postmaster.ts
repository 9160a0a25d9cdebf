/** One run of PostgreSQL: started, ready, stopped. Whoever supervises it starts the next. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StateError } from '../state-error.js';
import { endCluster } from './cluster-processes.js';
import { makeFolder } from './initialise.js';
import type { Location } from './location.js';
import type { PostgresBinaries } from './platform-binaries.js';
import type { RunAs } from './run-as.js';
import { type EmbeddedSettings, postgresArguments, postgresEnvironment } from './settings.js';

const POLL_MS = 3;
/** `.s.PGSQL.5432` and its lock file. */
const SOCKET = '.s.PGSQL.';
const LARGEST_LOG_BYTES = 1 << 20;
/** Replaying the log of a crash takes seconds; on a slow disk with a full log perhaps a minute. */
const LONGEST_START_MS = 180_000;
const FAST_STOP_MS = 10_000;
const IMMEDIATE_STOP_MS = 5_000;

export interface Postmaster {
  readonly pid: number;
  /** Resolves when the process has ended, however. */
  readonly ended: Promise<void>;
  /** Open transactions are aborted, data written; after 10 s ended hard (the next start replays the log). */
  stop(): Promise<void>;
}

/** Resolves when it accepts connections. Throws StateError `start-failed`. */
export async function startPostmaster(
  location: Location,
  binaries: PostgresBinaries,
  runAs: RunAs | undefined,
  settings: EmbeddedSettings,
): Promise<Postmaster> {
  // Proven to be ours before anything in it is removed.
  await makeFolder(location.run, runAs);
  await clearRemains(location);
  const log = await openLog(location);
  const { size: logBefore } = await log.stat();
  let child: ChildProcess;
  try {
    // In its own session: a Ctrl-C in the terminal is for us, we stop it when our work is done.
    child = spawn(binaries.postgres, postgresArguments(location, settings), {
      ...runAs,
      cwd: location.folder,
      env: postgresEnvironment,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.unref();
  await ready(child, location, logBefore);
  return { pid: child.pid as number, ended, stop: () => stop(child, location) };
}

/**
 * Processes and lock files of a run that nobody ended. PostgreSQL would refuse when the number in a stale lock file now belongs to
 * another process of the same account; when none of its processes is left, they say nothing and go.
 */
async function clearRemains(location: Location): Promise<void> {
  const sockets = (await readdir(location.run)).filter((name) => name.startsWith(SOCKET));
  const remains = [join(location.data, 'postmaster.pid'), ...sockets.map((name) => join(location.run, name))];
  const there = await Promise.all(remains.map((path) => stat(path).catch(() => undefined)));
  if (!there.some(Boolean)) return;
  await endCluster(location);
  for (const path of remains) await rm(path, { force: true });
}

async function openLog({ log }: Location) {
  const { size } = await stat(log).catch(() => ({ size: 0 }));
  if (size > LARGEST_LOG_BYTES) await rename(log, `${log}.1`);
  return open(log, 'a', 0o600);
}

async function ready(child: ChildProcess, location: Location, logBefore: number): Promise<void> {
  const pidFile = join(location.data, 'postmaster.pid');
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = performance.now() + LONGEST_START_MS;
  while (performance.now() < deadline) {
    if (failure || child.exitCode !== null || child.signalCode !== null)
      throw await startFailure(location, logBefore, failure);
    // Line 1 is its number, line 8 its state (src/include/utils/pidfile.h).
    const lines = await readFile(pidFile, 'utf8').then(
      (text) => text.split('\n'),
      () => [],
    );
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return;
    await sleep(POLL_MS);
  }
  child.kill('SIGQUIT');
  throw await startFailure(location, logBefore, new Error('it was not ready in time'));
}

async function startFailure(location: Location, logBefore: number, cause: Error | undefined): Promise<StateError> {
  const log = (await readFile(location.log).catch(() => Buffer.alloc(0))).subarray(logBefore).toString();
  const fatal = log.split('\n').findLast((line) => /FATAL|PANIC|error while loading|could not/.test(line));
  const reason = cause?.message ?? fatal?.replace(/^.*?(FATAL|PANIC): */, '') ?? 'it ended at once';
  return new StateError('start-failed', `The embedded database did not start: ${reason}`, {
    where: 'postgres.log beside the database',
    next: 'Free space, file rights and memory are the usual reasons; the log has the details. A damaged database is left as it is: restore a backup into a new data directory.',
    cause,
  });
}

async function stop(child: ChildProcess, location: Location): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.ref();
  child.kill('SIGINT');
  if (await within(exit, FAST_STOP_MS)) return;
  child.kill('SIGQUIT');
  if (await within(exit, IMMEDIATE_STOP_MS)) return;
  child.kill('SIGKILL');
  await exit;
  await endCluster(location);
}

async function within(event: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const first = await Promise.race([event.then(() => true), late]);
  timer.abort();
  return first;
}
