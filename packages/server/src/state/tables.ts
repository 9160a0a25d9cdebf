/** Tables of the state itself: settings of the installation, facts about it, and which migrations have run. */
import type { ColumnType } from 'kysely';

export interface SettingTable {
  key: string;
  /** Checked by the zod schema of its key when read and when written. */
  value: ColumnType<unknown, string, string>;
  updated_at: ColumnType<Date, Date | undefined, Date>;
  updated_by: string;
}

export interface InstallationTable {
  /** There is one row. */
  id: string;
  created_at: ColumnType<Date, Date | undefined, never>;
}

export interface MigrationTable {
  name: string;
  position: number;
  applied_at: ColumnType<Date, Date | undefined, never>;
}

export interface StateTables {
  setting: SettingTable;
  installation: InstallationTable;
  schema_migration: MigrationTable;
}
