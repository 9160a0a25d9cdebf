/**
 * Which process this is, and whether another one still lives. A number alone does not say: numbers are used again, and mean
 * something else after a boot and in another container.
 */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Boot and process namespace in which `pid` has its meaning; empty where the system does not tell. */
  readonly world: string;
  /** Ticks between boot and its start; empty where the system does not tell. */
  readonly started: string;
}

/** `elsewhere`: on a machine or in a container where we cannot look. */
export type Life = 'alive' | 'dead' | 'elsewhere';

export async function ownIdentity(): Promise<ProcessIdentity> {
  return { pid: process.pid, host: hostname(), world: await world(), started: await startOf('self') };
}

export async function lifeOf(other: ProcessIdentity): Promise<Life> {
  if (other.host !== hostname()) return 'elsewhere';
  const here = await world();
  if (other.world !== here) {
    // Another boot of this machine: none of its processes is left. Another namespace of this boot: a container that may live.
    return bootOf(other.world) === bootOf(here) ? 'elsewhere' : 'dead';
  }
  if (other.started !== '') return (await startOf(other.pid)) === other.started ? 'alive' : 'dead';
  try {
    process.kill(other.pid, 0);
    return 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'alive' : 'dead';
  }
}

async function world(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${boot.trim()} ${namespace}`.trim();
}

function bootOf(name: string): string {
  return name.split(' ')[0] ?? '';
}

/** proc(5): after the name in brackets, which may hold anything, field 3 is the state and field 22 the start. */
async function startOf(pid: number | 'self'): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not asked.
  return state === 'Z' ? '' : (fields[START_FIELD] ?? '');
}

const START_FIELD = 22 - 4;
