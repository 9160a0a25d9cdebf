/** What every adapter (REST and each further protocol) is given: ports only, put together in serve/open-services.ts. */
import type { Accounts } from '../accounts/accounts.js';
import type { AuditTrail } from '../audit/audit-trail.js';
import type { Blobs } from '../blobs/blobs.js';
import type { DiskSpace } from '../blobs/disk-space.js';
import type { Chores } from '../chores/chores.js';
import type { ComputePool } from '../compute/compute-pool.js';
import type { ReadConfiguration } from '../configuration/configuration.js';
import type { Statements } from '../feedback/statements.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Registry } from '../registry/registry.js';
import type { Database } from '../state/database.js';
import type { Studies } from '../studies/studies.js';

export interface Services {
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
  readonly blobs: Blobs;
  readonly chores: Chores;
  readonly compute: ComputePool;
  readonly configuration: ReadConfiguration;
  readonly jobs: Jobs;
  readonly registry: Registry;
  readonly statements: Statements;
  readonly studies: Studies;
  /** Folder on this machine for uploads of models and exports, which need a file; emptied at start by its owner. */
  readonly temporaryFolder: string;
  /** Of that folder's disk: what is received there leaves the reserve alone, as blobs do. */
  readonly temporarySpace: DiskSpace;
  /** To let go of uploads that became no job. */
  readonly db: Database;
}
