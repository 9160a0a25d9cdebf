/** The one type that all of the server's SQL is written against; each area declares its own tables. */
import type { Kysely, Transaction } from 'kysely';
import type { AccountTables } from '../accounts/tables.js';
import type { AuditTables } from '../audit/tables.js';
import type { BlobTables } from '../blobs/tables.js';
import type { FeedbackTables } from '../feedback/tables.js';
import type { JobTables } from '../jobs/tables.js';
import type { RegistryTables } from '../registry/tables.js';
import type { StudyTables } from '../studies/tables.js';
import type { StateTables } from './tables.js';

export interface Tables
  extends StateTables,
    AccountTables,
    AuditTables,
    BlobTables,
    JobTables,
    RegistryTables,
    StudyTables,
    FeedbackTables {}

export type Database = Kysely<Tables>;
/** A database or a transaction of it: what a method takes that may be part of a larger change. */
export type Executor = Database | Transaction<Tables>;
