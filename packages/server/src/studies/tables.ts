/** Tables of studies, as state/migrations/0006-rest.ts makes them. */
import type { Generated } from 'kysely';

export interface StudyTable {
  id: string;
  number: Generated<string | number>;
  blob_id: string;
  bytes: string | number;
  sha256: string;
  created_by_kind: string;
  created_by_id: string;
  created_by_name: string;
  created_at: Generated<Date>;
  expires_at: Date;
}

export interface StudyJobTable {
  study_id: string;
  job_id: string;
}

export interface StudyTables {
  study: StudyTable;
  study_job: StudyJobTable;
}
