/** What pool and compute child say to each other: small, by IPC. Images and results travel as files only. */
import type { PredictTask, SegmentTask } from '../compute-pool.js';

/** What the parent put on the child's command line, as JSON. */
export interface ChildStart {
  /** The pool's own folder: a child whose parent was killed removes it. */
  readonly home: string;
  readonly threads: number;
}

export type ParentMessage =
  /** Once in a child's life: several models never share one. */
  { readonly kind: 'load'; readonly folder: string } | TaskMessage;

export type TaskMessage = (Omit<SegmentTask, 'model'> | Omit<PredictTask, 'model'>) & {
  /** Made and removed by the parent; exists. */
  readonly temporaryFolder: string;
  readonly memoryLimitBytes?: number;
};

export type ChildReply =
  | { readonly kind: 'loaded' }
  | {
      readonly kind: 'answer';
      readonly report: unknown;
      readonly files: readonly string[];
      readonly peakMemoryBytes: number;
    }
  | {
      readonly kind: 'failure';
      readonly name: string;
      readonly failure: string;
      readonly message: string;
      readonly where?: string;
      readonly next?: string;
      /** Not foreseen: the child is not to be trusted with another task. */
      readonly defect: boolean;
    };

export type ChildMessage =
  | ChildReply
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly step: string }
  /** After an answer: the garbage is collected, and what is resident now stays so. */
  | { readonly kind: 'rested' };
