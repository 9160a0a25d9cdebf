/**
 * Temporary files carry the mark of the process that writes them, so that any other process that shares the folder can
 * tell a dead writer's leavings from a live writer's work: a pid alone is reused, and is another process in the next
 * container. Linux tells start times in /proc; elsewhere the pid has to do.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Undefined where it is not to be had. */
function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Field 22 of proc(5)'s stat, counted after the name, which may itself hold blanks and brackets. */
function startOf(pid: number | 'self'): string | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** Where pids mean the same: this boot of this machine, this pid namespace. */
const WORLD = short(
  [
    hostname(),
    attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    attempt(() => readlinkSync('/proc/self/ns/pid')),
  ].join(),
);

/** `<world>-<pid>-<start>`; of [a-z0-9-]. */
export const OWN_MARK = `${WORLD}-${process.pid}-${startOf('self') ?? '0'}`;

export type Liveness = 'alive' | 'dead' | 'elsewhere';

/** `elsewhere`: written by another machine, container or boot, where we cannot look. Undefined: no mark of ours. */
export function livenessOf(name: string): Liveness | undefined {
  const mark = /^([0-9a-f]{12})-(\d+)-(\d+)-/.exec(name);
  if (!mark) return undefined;
  const [, world, pid, start] = mark;
  if (world !== WORLD) return 'elsewhere';
  if (start !== '0') return startOf(Number(pid)) === start ? 'alive' : 'dead';
  try {
    process.kill(Number(pid), 0);
    return 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'alive' : 'dead';
  }
}
