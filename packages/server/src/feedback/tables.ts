/** Tables of feedback and telemetry, as state/migrations/0006-rest.ts makes them. */
import type { Generated, JSONColumnType } from 'kysely';
import type { StructureFeedback, TelemetryError } from './feedback.js';

interface Origin {
  id: string;
  number: Generated<string | number>;
  protocol: string;
  job_id: string | null;
  model: string | null;
  client: string | null;
  created_by_kind: string;
  created_by_id: string;
  created_by_name: string;
  created_at: Generated<Date>;
}

export interface FeedbackTable extends Origin {
  accepted: boolean;
  comments: string | null;
  score: number | null;
  structures: JSONColumnType<StructureFeedback[], string, string>;
}

export interface TelemetryTable extends Origin {
  upload_ms: string | number | null;
  wait_ms: string | number | null;
  download_ms: string | number | null;
  retries: string | number | null;
  error: TelemetryError;
  error_information: string | null;
}

export interface FeedbackTables {
  feedback: FeedbackTable;
  telemetry: TelemetryTable;
}
