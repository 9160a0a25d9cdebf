/** Resident memory of a process, read from /proc (Linux). Elsewhere it is not known, and limits cannot be enforced by it. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface ProcessMemory {
  readonly residentBytes: number;
  /** Highest value so far, kept by the kernel (VmHWM): short peaks are in it too. */
  readonly peakBytes: number;
}

const KILOBYTE = 1024;

export function processMemory(pid: number | 'self'): ProcessMemory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * KILOBYTE;
    const [residentBytes, peakBytes] = [field('VmRSS'), field('VmHWM')];
    return Number.isFinite(residentBytes) && Number.isFinite(peakBytes) ? { residentBytes, peakBytes } : undefined;
  } catch {
    return undefined;
  }
}

/** Lets `peakBytes` of this process begin anew (proc(5), clear_refs), so that each run of a warm child has its own. */
export function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or a kernel without it: the peak of all runs is reported for each.
  }
}
