/**
 * Private folders that say who made them, so that a later start can remove what a killed process left and nothing else.
 * A process id alone is not enough: ids are used again, and containers that share a temporary folder each have their own.
 * So the name holds the id, the time the process started, and a mark of machine, boot and id namespace.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Owners refresh their folder at this pace… */
const REFRESH_MS = 5 * 60_000;
/** …so one that we cannot look up, and that was not refreshed for so long, is dead. */
const FOREIGN_DEAD_MS = 60 * 60_000;
/** Of a hash: enough to tell a handful of places apart. */
const MARK_CHARACTERS = 6;

interface Place {
  readonly machine: string;
  readonly boot: string;
  readonly namespace: string;
}

/** `prefix` ends in a hyphen. The folder can be read by its owner only (mode 0700). Throws what the file system throws. */
export function makeOwnedFolder(root: string, prefix: string): Promise<string> {
  const { machine, boot, namespace } = here();
  const started = startOf(process.pid) ?? 0;
  return mkdtemp(join(root, `${prefix}${process.pid}-${started}-${machine}.${boot}.${namespace}-`));
}

/** Keeps a folder that lives long from being taken for dead in another container; returns how to end that. */
export function refreshOwnedFolder(folder: string): () => void {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(folder, now, now).catch(() => {});
  }, REFRESH_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Removes what dead processes have left; those of living ones, and of ones that cannot be judged, stay. */
export async function sweepOwnedFolders(root: string, prefix: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const path = join(root, name);
    if (await isDead(path, name.slice(prefix.length), now))
      await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function isDead(path: string, owner: string, now: number): Promise<boolean> {
  const [, pid, started, machine, boot, namespace] =
    /^(\d+)-(?:(\d+)-([0-9a-f]+)\.([0-9a-f]+)\.([0-9a-f]+)-)?/.exec(owner) ?? [];
  if (pid === undefined) return false;
  const place = here();
  if (machine !== undefined && (machine !== place.machine || namespace !== place.namespace || boot !== place.boot)) {
    // The same machine has started anew: no process of before can live.
    if (machine === place.machine && boot !== place.boot) return true;
    const info = await stat(path).catch(() => undefined);
    return info !== undefined && now - info.mtimeMs > FOREIGN_DEAD_MS;
  }
  if (!isAlive(Number(pid))) return true;
  const current = startOf(Number(pid));
  return started !== undefined && Number(started) > 0 && current !== undefined && current !== Number(started);
}

let known: Place | undefined;

function here(): Place {
  known ??= {
    machine: mark(hostname()),
    boot: mark(read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))),
    namespace: mark(read(() => readlinkSync('/proc/self/ns/pid'))),
  };
  return known;
}

function read(source: () => string): string {
  try {
    return source();
  } catch {
    // No Linux: one namespace, and the process id decides alone.
    return '';
  }
}

function mark(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, MARK_CHARACTERS);
}

/** Position of `starttime` in /proc/PID/stat (proc(5), field 22), counted behind the command's closing parenthesis. */
const START_FIELD = 19;

/** When the process started, in clock ticks since boot; undefined where /proc is not. */
function startOf(pid: number): number | undefined {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const value = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[START_FIELD]);
  return text && Number.isFinite(value) ? value : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
