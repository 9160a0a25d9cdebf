/** The words of a job, as its row, the REST API and the workers use them. */
import type { Actor } from '../accounts/actor.js';

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** Why it failed, in the words of Failure: cause, place, next step. */
export interface JobFailure {
  readonly kind: string;
  readonly message: string;
  readonly where?: string;
  readonly next?: string;
}

export interface JobProgress {
  readonly step: string;
  /** 0..1 of the whole job, never falling within one attempt. */
  readonly fraction: number;
  /** Learnt from earlier runs of the same model; undefined until there are any. */
  readonly secondsLeft?: number;
}

export interface ResultFile {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly blobId: string;
}

export interface Job {
  readonly id: string;
  /** Which handler does it: 'segment', and what later issues add. */
  readonly kind: string;
  readonly state: JobState;
  readonly priority: number;
  /** Who asked through which door: 'rest', 'innereye', 'segint', … */
  readonly protocol: string;
  readonly requestedBy: { readonly kind: Actor['kind']; readonly id: string; readonly name: string };
  /** `name:version`. */
  readonly model?: string;
  readonly modelVersionId?: string;
  /** Under which the clients of its protocol know it, where that is not `id`. */
  readonly externalId?: string;
  readonly inputBlobIds: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly progress: JobProgress;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly worker?: string;
  readonly cancelRequested: boolean;
  readonly failure?: JobFailure;
  /** What the handler reports: for 'segment' the SegmentReport (structures, proofs, findings, provenance). */
  readonly report?: unknown;
  readonly files: readonly ResultFile[];
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
}

export interface NewJob {
  readonly kind: string;
  readonly protocol: string;
  readonly actor: Actor;
  readonly model?: string;
  readonly modelVersionId?: string;
  /** Unique within the protocol; at most 200 characters. */
  readonly externalId?: string;
  /** Kept by the job from this transaction on, released when it ends. */
  readonly inputBlobIds: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Higher first; default 0, -100..100. */
  readonly priority?: number;
  /** Default 3. */
  readonly maxAttempts?: number;
  /** The same key of the same actor gives the same job again, instead of a second one. */
  readonly idempotencyKey?: string;
  readonly requestId?: string;
}

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly model?: string;
  readonly protocol?: string;
  readonly requestedBy?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  /** Opaque; undefined on the last page. */
  readonly next?: string;
}
