/**
 * Highest resident memory of a process. VmHWM belongs to the address space, so it starts anew with the program; ru_maxrss
 * would inherit the size of the process that started it.
 */
import { readFileSync } from 'node:fs';

const KILOBYTE = 1024;

/** undefined where there is no /proc, or the process is gone. */
export function peakOf(pid: number | 'self'): number | undefined {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match ? Number(match[1]) * KILOBYTE : undefined;
  } catch {
    return undefined;
  }
}

export function ownPeak(): number {
  return peakOf('self') ?? process.resourceUsage().maxRSS * KILOBYTE;
}
