/**
 * Bytes that new processes could take: the smaller of what the machine and what the control group (a container's limit)
 * leave. Linux: proc(5) by way of node:os, cgroup v2 `memory.max`, v1 `memory.limit_in_bytes`.
 */
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';
/** Page cache that the kernel gives back before it kills anybody. */
const RECLAIMABLE = { v2: 'inactive_file', v1: 'total_inactive_file' } as const;

/** `root` and `membership` for tests. */
export function machineFreeBytes(root = MOUNT, membership = '/proc/self/cgroup'): number {
  return Math.min(freemem(), groupFreeBytes(root, membership));
}

/** Infinity where no group limits us. */
export function groupFreeBytes(root: string, membership: string): number {
  let free = Number.POSITIVE_INFINITY;
  for (const line of (text(membership) ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const v2 = controllers === '';
    if (!v2 && !controllers.split(',').includes('memory')) continue;
    const base = v2 ? root : join(root, 'memory');
    // Every group above counts too; a container sees its own as the root of the mount.
    for (const folder of ancestors(path)) free = Math.min(free, freeIn(join(base, folder), v2));
  }
  return free;
}

function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, n) => parts.slice(0, n).join('/'));
}

function freeIn(folder: string, v2: boolean): number {
  const limit = number(join(folder, v2 ? 'memory.max' : 'memory.limit_in_bytes'));
  const used = number(join(folder, v2 ? 'memory.current' : 'memory.usage_in_bytes'));
  // "max" (v2) is no number, and v1 says "unlimited" with one near 2^63.
  if (limit === undefined || used === undefined || limit > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  const stat = text(join(folder, 'memory.stat')) ?? '';
  const field = v2 ? RECLAIMABLE.v2 : RECLAIMABLE.v1;
  const cache = Number(new RegExp(`^${field} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
  return Math.max(0, limit - used + cache);
}

function number(path: string): number | undefined {
  const value = Number(text(path)?.trim() || Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
