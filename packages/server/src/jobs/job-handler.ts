/** The port of what a job does (@port); one handler per kind, registered where the server is put together. */
import type { Job } from './job.js';

export interface HandlerContext {
  /** Aborted on cancel, on shutdown after the grace period, and when this worker lost the job. */
  readonly signal: AbortSignal;
  /** `done` of `total` in `step`; the worker makes fraction and time left of it. */
  progress(step: string, done: number, total: number): void;
  /** Empty at start, removed afterwards; results are put here. */
  readonly workFolder: string;
}

export interface HandlerResult {
  readonly report: unknown;
  /** Files in `workFolder` (or below) that become result files, in this order. */
  readonly files: readonly { readonly path: string; readonly name: string; readonly mediaType: string }[];
}

export interface JobHandler {
  readonly kind: string;
  /** Steps in their order with their usual share of the time, for a bar that is true before anything was learnt. */
  readonly steps: readonly { readonly step: string; readonly share: number }[];
  /** Throws a Failure; `retryable(error)` decides whether another attempt makes sense (a crashed child: yes; a bad zip: no). */
  run(job: Job, context: HandlerContext): Promise<HandlerResult>;
  retryable(error: unknown): boolean;
}
