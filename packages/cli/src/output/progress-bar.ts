/**
 * One line on stderr with step, bar, percent and time left. Drawn only on a terminal: a log file gets nothing, so
 * that machine output and pipes stay clean.
 */
import type { ReportProgress } from '@isocenter/volume';

const BAR_CELLS = 24;
/** Redrawing more often than this costs time and flickers. */
const REDRAW_MS = 80;
/** Before this much of a step has passed its speed says nothing about its end. */
const ESTIMATE_AFTER_MS = 700;

export interface ProgressBar {
  readonly report: ReportProgress;
  /** Clears the line. Call before printing anything else. */
  end(): void;
}

export function progressBar(stream: NodeJS.WriteStream = process.stderr, enabled = stream.isTTY === true): ProgressBar {
  if (!enabled) return { report: () => {}, end: () => {} };
  let step = '';
  let started = 0;
  let drawn = 0;
  return {
    report(done, total, name) {
      const now = performance.now();
      if (name !== step) {
        step = name;
        started = now;
        drawn = 0;
      }
      if (now - drawn < REDRAW_MS && done < total) return;
      drawn = now;
      stream.write(`\r\x1b[2K${progressLine(done, total, name, now - started)}`);
    },
    end() {
      stream.write('\r\x1b[2K');
    },
  };
}

/** The text of the line; `elapsedMs` is the time since the step began. */
export function progressLine(done: number, total: number, step: string, elapsedMs: number): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const cells = Math.round(share * BAR_CELLS);
  const bar = '█'.repeat(cells) + '░'.repeat(BAR_CELLS - cells);
  const known = share > 0 && share < 1 && elapsedMs >= ESTIMATE_AFTER_MS;
  const left = known ? `  ${formatSeconds((elapsedMs / share - elapsedMs) / 1000)} left` : '';
  return `${step.padEnd(28)} ${bar} ${String(Math.floor(share * 100)).padStart(3)} %${left}`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
