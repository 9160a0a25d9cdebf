/**
 * Which process this is, and whether another one still lives: the owner of a lock, a work folder or a half-written file.
 * A process id alone does not say: ids are used again, and mean another process after a boot and in each container. So an
 * identity also has the time the process started, and marks of machine, boot and id namespace.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start; 0 where the system does not tell (no Linux). */
  readonly started: number;
  readonly machine: string;
  readonly boot: string;
  readonly namespace: string;
}

/** `elsewhere`: on a machine or in a container where we cannot look. */
export type Life = 'alive' | 'dead' | 'elsewhere';

/** Of a hash: enough to tell a handful of places apart. */
const MARK_CHARACTERS = 6;

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  own ??= Object.freeze({
    pid: process.pid,
    started: Number(startOf(process.pid) ?? 0),
    machine: mark(hostname()),
    boot: mark(read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))),
    namespace: mark(read(() => readlinkSync('/proc/self/ns/pid'))),
  });
  return own;
}

export function lifeOf({ pid, started, machine, boot, namespace }: ProcessIdentity): Life {
  const here = ownIdentity();
  if (machine !== here.machine) return 'elsewhere';
  // The same machine has started anew: no process of before can live.
  if (boot !== here.boot) return 'dead';
  // A container that may live.
  if (namespace !== here.namespace) return 'elsewhere';
  if (!exists(pid)) return 'dead';
  const current = startOf(pid);
  return current === 'ended' || (started > 0 && current !== undefined && current !== started) ? 'dead' : 'alive';
}

/** `<pid>-<started>-<machine>.<boot>.<namespace>`, for names of files and folders. */
export function identityText({ pid, started, machine, boot, namespace }: ProcessIdentity): string {
  return `${pid}-${started}-${machine}.${boot}.${namespace}`;
}

/** Of a name that begins with `identityText` and a hyphen. */
export function identityIn(name: string): ProcessIdentity | undefined {
  const [, pid, started, machine, boot, namespace] =
    /^(\d{1,10})-(\d{1,15})-([0-9a-f]+)\.([0-9a-f]+)\.([0-9a-f]+)-/.exec(name) ?? [];
  if (namespace === undefined) return undefined;
  return { pid: Number(pid), started: Number(started), machine, boot, namespace };
}

/** In the order of proc(5)'s stat, counted behind the command's closing bracket: the command may hold blanks and brackets. */
const STATE_FIELD = 0;
const START_FIELD = 19;

/** 'ended': a zombie, whose parent has not asked; undefined where /proc does not tell. */
function startOf(pid: number): number | 'ended' | undefined {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[STATE_FIELD] === 'Z') return 'ended';
  const started = Number(fields[START_FIELD]);
  return text && Number.isFinite(started) ? started : undefined;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function read(source: () => string): string {
  try {
    return source();
  } catch {
    return '';
  }
}

function mark(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, MARK_CHARACTERS);
}
