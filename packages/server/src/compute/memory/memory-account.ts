/** Bytes that all children have, have been promised, and could have. */
import { overMemory } from '@isocenter/engine/processes';
import type { Children } from '../children.js';
import type { ComputeChild } from '../compute-child.js';
import type { TaskLimits } from '../compute-pool.js';
import type { PoolSettings } from '../pool-options.js';
import { type Bound, smallest } from './forecaster.js';

export class MemoryAccount {
  constructor(
    private readonly settings: PoolSettings,
    private readonly children: Children,
    private readonly freeBytes: () => number,
  ) {}

  /** What all children together may have: what they have, and what the machine has free, within the budget. */
  capacity(): number {
    return Math.min(this.settings.memoryBudgetBytes, this.freeBytes() + this.children.residentBytes);
  }

  /** What running tasks have or will need. */
  reserved(): number {
    return this.children.busy.reduce((sum, child) => sum + Math.max(child.reservedBytes, child.residentBytes), 0);
  }

  /** What one task could have if it were alone. */
  bound(limits: Pick<TaskLimits, 'memoryBytes'>): Bound {
    return smallest([
      { bytes: limits.memoryBytes ?? this.settings.memoryLimitBytes, what: 'the limit of a run is' },
      { bytes: this.settings.memoryBudgetBytes, what: 'the budget of all runs is' },
      { bytes: this.freeBytes() + this.children.residentBytes, what: 'this machine has for runs' },
    ]);
  }

  /** Evicts idle children other than `keep`, the longest unused first, until `bytes` fit beside what is reserved. */
  makeRoom(bytes: number, keep: ComputeChild | undefined): void {
    const others = this.children.idle.filter((child) => child !== keep);
    const room = this.capacity() - this.reserved() - bytes;
    let idleBytes = others.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
    for (const child of others) {
      if (idleBytes <= room) break;
      idleBytes -= child.residentBytes;
      void this.children.evict(child, 'room');
    }
  }

  /** The budget is kept also against wrong forecasts: idle children go first, then who took most beyond its forecast. */
  keepBudget(): void {
    const { memoryBudgetBytes } = this.settings;
    if (memoryBudgetBytes === Number.POSITIVE_INFINITY) return;
    let resident = this.children.residentBytes;
    if (resident <= memoryBudgetBytes) return;
    for (const child of this.children.idle) {
      resident -= child.residentBytes;
      void this.children.evict(child, 'room');
      if (resident <= memoryBudgetBytes) return;
    }
    const over = (child: ComputeChild) => child.residentBytes - child.reservedBytes;
    const [worst] = [...this.children.busy].sort((a, b) => over(b) - over(a));
    if (worst) void worst.kill(overMemory(worst.residentBytes, worst.reservedBytes));
  }
}
