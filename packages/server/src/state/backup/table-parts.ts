/** One table as lines of JSON in parts of about 16 MB, read from the snapshot when the zip asks for them. */
import type { ZipStreamed } from '@isocenter/formats';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from '../database.js';
import { StateError } from '../state-error.js';
import type { CatalogueTable } from './catalogue.js';
import { hashedPart } from './hashed-part.js';
import type { TableEntry } from './manifest.js';

/** A restore holds one part in memory. */
const PART_BYTES = 16 * 2 ** 20;
const ROWS_PER_FETCH = 500;

/**
 * Every value goes as the text that PostgreSQL makes of it and reads again, as in its own dumps: JSON of whole rows would take a
 * JSON null for no value, and numbers through JavaScript would be rounded.
 */
export async function tableParts(
  snapshot: Transaction<Tables>,
  { name, columns }: CatalogueTable,
  tables: TableEntry[],
): Promise<ZipStreamed[]> {
  const row = sql`json_build_array(${sql.join(columns.map((column) => sql`${sql.ref(column.name)}::text`))})::text`;
  const { rows } = await sql<{ readonly count: string; readonly bytes: string }>`
    select count(*)::text as count, coalesce(sum(octet_length(${row})), 0)::text as bytes from ${sql.table(name)}`.execute(
    snapshot,
  );
  const count = Number(rows[0]?.count);
  const perPart = Math.max(1, Math.floor(count / Math.ceil((Number(rows[0]?.bytes) + 1) / PART_BYTES)));
  const entry: TableEntry = { name, columns: columns.map((column) => column.name), rows: count, parts: [] };
  tables.push(entry);
  return Array.from({ length: Math.ceil(count / perPart) }, (_, index) => ({
    name: `tables/${name}/${String(index).padStart(6, '0')}.ndjson`,
    open: async () => {
      if (index === 0) {
        await sql`declare ${sql.ref(`backup_${name}`)} no scroll cursor for select ${row} as line from ${sql.table(name)}`.execute(
          snapshot,
        );
      }
      const take = Math.min(perPart, count - index * perPart);
      return hashedPart(
        lines(snapshot, `backup_${name}`, take),
        `tables/${name}/${String(index).padStart(6, '0')}.ndjson`,
        entry.parts,
      );
    },
  }));
}

async function* lines(snapshot: Kysely<Tables>, cursor: string, count: number): AsyncGenerator<Buffer> {
  for (let left = count; left > 0; ) {
    const { rows } = await sql<{ readonly line: string }>`
      fetch ${sql.lit(Math.min(left, ROWS_PER_FETCH))} from ${sql.ref(cursor)}`.execute(snapshot);
    if (rows.length === 0) throw new StateError('backup-failed', 'A table ended before its rows.', { where: cursor });
    left -= rows.length;
    yield Buffer.from(rows.map(({ line }) => `${line}\n`).join(''));
  }
}
