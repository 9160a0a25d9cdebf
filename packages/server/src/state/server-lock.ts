/**
 * One server per data directory. Each claimant writes a file of its own and then looks for others (as in Lamport's bakery): who
 * sees no living other has the lock. Names are never used again, so a dead claimant's file can be removed without any race.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lifeOf, ownIdentity, type ProcessIdentity } from '@isocenter/engine/processes';
import { StateError } from './state-error.js';
import { writeSecret } from './write-secret.js';

export interface ServerLock {
  release(): Promise<void>;
}

export interface LockOptions {
  /** Somebody else took the lock, because this process did not run for long (a suspended machine). Stop writing at once. */
  readonly onLost?: () => void;
  /** A claimant on another machine whose sign of life does not change for this long is dead; default 30 s. */
  readonly silenceMs?: number;
  readonly heartbeatMs?: number;
}

interface Claim extends ProcessIdentity {
  readonly host: string;
  readonly since: string;
}

const SILENCE_MS = 30_000;
const HEARTBEAT_MS = 2_000;
const WATCH_MS = 200;
/** Two that start at the same moment both see the other, step back and try again after unequal pauses. */
const ATTEMPTS = 10;
const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 60;

/** Throws StateError `in-use`, naming process, machine and since when. */
export async function lockServer(home: string, options: LockOptions = {}): Promise<ServerLock> {
  const { silenceMs = SILENCE_MS } = options;
  let holder: Claim | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const name = `server-${randomBytes(12).toString('hex')}.lock`;
    const claim: Claim = { ...ownIdentity(), host: hostname(), since: new Date().toISOString() };
    await writeSecret(join(home, name), JSON.stringify(claim));
    const others = await livingOthers(home, name);
    if (others.length === 0) return hold(join(home, name), options);
    await rm(join(home, name), { force: true });
    for (const other of others) {
      if (other.life === 'elsewhere' && (await silent(other.path, silenceMs))) await rm(other.path, { force: true });
      else holder = other.claim;
    }
    await sleep(randomInt(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS));
  }
  throw inUse(holder);
}

function inUse(holder: Claim | undefined): StateError {
  const who = holder
    ? `process ${holder.pid} on ${holder.host}, since ${holder.since}`
    : 'a process that starts at the moment';
  return new StateError('in-use', `Another Isocenter server uses this data directory: ${who}.`, {
    where: 'ISOCENTER_HOME',
    next: 'Stop that one, or give this one a data directory of its own (--home). To share the work, start `isocenter worker`.',
  });
}

interface Other {
  readonly path: string;
  readonly claim: Claim | undefined;
  readonly life: 'alive' | 'elsewhere';
}

async function livingOthers(home: string, own: string): Promise<readonly Other[]> {
  const found: Other[] = [];
  for (const name of await readdir(home)) {
    if (!/^server-[0-9a-f]+\.lock$/.test(name) || name === own) continue;
    const path = join(home, name);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) continue; // Released in between.
    const claim = parse(text);
    const life = claim ? lifeOf(claim) : 'elsewhere';
    if (life === 'dead') await rm(path, { force: true });
    else found.push({ path, claim, life });
  }
  return found;
}

function parse(text: string): Claim | undefined {
  try {
    return JSON.parse(text) as Claim;
  } catch {
    return undefined; // A power cut can leave a file without its content.
  }
}

/** True when the file does not change for so long, by our own clock: clocks of machines differ. */
async function silent(path: string, silenceMs: number): Promise<boolean> {
  const mark = async () => (await stat(path).catch(() => undefined))?.mtimeMs;
  const before = await mark();
  for (const end = performance.now() + silenceMs; performance.now() < end; ) {
    await sleep(Math.min(WATCH_MS, silenceMs));
    if ((await mark()) !== before) return false;
  }
  return true;
}

function hold(path: string, { onLost, heartbeatMs = HEARTBEAT_MS }: LockOptions): ServerLock {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') return; // The disk may be away for a moment; the lock is not.
      clearInterval(timer);
      onLost?.();
    });
  }, heartbeatMs);
  timer.unref();
  return {
    release: async () => {
      clearInterval(timer);
      await rm(path, { force: true });
    },
  };
}
