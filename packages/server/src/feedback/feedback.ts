/** The words of feedback and telemetry, for REST and for the old protocols that send them. */
import type { Actor } from '../accounts/actor.js';

export interface StructureFeedback {
  readonly structure: string;
  readonly comments?: string;
  readonly score?: number;
}

/** Where a statement comes from. */
export interface Origin {
  readonly actor: Actor;
  /** The door: 'rest', 'segint' … */
  readonly protocol: string;
  readonly job?: string;
  /** `name:version`. */
  readonly model?: string;
  /** Name and version of the client program. */
  readonly client?: string;
}

export interface FeedbackFields {
  readonly accepted: boolean;
  readonly comments?: string;
  /** 0 to 1. */
  readonly score?: number;
  readonly structures: readonly StructureFeedback[];
}

export type TelemetryError = 'none' | 'connection' | 'internal' | 'timeout';

export interface TelemetryFields {
  readonly uploadMs?: number;
  readonly waitMs?: number;
  readonly downloadMs?: number;
  readonly retries?: number;
  readonly error: TelemetryError;
  readonly errorInformation?: string;
}

/** Who, when and about what, as it is read back. */
export interface Stored {
  readonly id: string;
  readonly protocol: string;
  readonly job?: string;
  readonly model?: string;
  readonly client?: string;
  readonly createdBy: { readonly kind: Actor['kind']; readonly id: string; readonly name: string };
  readonly createdAt: Date;
}

export interface StatementFilter {
  readonly job?: string;
  readonly model?: string;
  /** Feedback only. */
  readonly accepted?: boolean;
}
