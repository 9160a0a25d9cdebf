/** Tables of blobs: the row that is written before the bytes, who keeps it, and who reads it now. Meaning of the columns: 0003-blobs.ts. */
import type { ColumnType, Generated } from 'kysely';
import type { BlobPurpose } from './blobs.js';

/** writing → stored → erasing → erased → (row gone). */
export type BlobState = 'writing' | 'stored' | 'erasing' | 'erased';

/** PostgreSQL's bigint comes as text from a driver without a parser for it. */
type BigIntColumn = ColumnType<string | number | null, number | null | undefined, number | null>;
type Time = ColumnType<Date, Date | string, Date | string>;
type OptionalTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;

export interface BlobTable {
  id: string;
  key: string;
  purpose: BlobPurpose;
  state: BlobState;
  bytes: BigIntColumn;
  sha256: string | null;
  created_at: Time;
  created_by_kind: string;
  created_by: string;
  due_at: OptionalTime;
  released_at: OptionalTime;
  release_reason: string | null;
  failures: Generated<number>;
  erased_at: OptionalTime;
}

export interface BlobOwnerTable {
  blob_id: string;
  kind: string;
  owner_id: string;
  kept_at: Time;
  released_at: OptionalTime;
}

export interface BlobUseTable {
  id: string;
  blob_id: string;
  until: Time;
}

export interface BlobInstallationTable {
  id: string;
}

export interface BlobTables {
  blob: BlobTable;
  blob_owner: BlobOwnerTable;
  blob_use: BlobUseTable;
  blob_installation: BlobInstallationTable;
}
