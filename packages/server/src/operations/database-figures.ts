/** Figures for metrics that are sums over tables, asked with one statement each. */
import type { Database } from '../state/database.js';

/** Blobs whose bytes lie in the store, by purpose. */
export async function blobFigures(
  db: Database,
): Promise<Readonly<Record<string, { readonly count: number; readonly bytes: number }>>> {
  const rows = await db
    .selectFrom('blob')
    .select(({ fn }) => ['purpose', fn.countAll().as('count'), fn.sum('bytes').as('bytes')])
    .where('state', 'in', ['stored', 'erasing'])
    .groupBy('purpose')
    .execute();
  return Object.fromEntries(
    rows.map(({ purpose, count, bytes }) => [purpose, { count: Number(count), bytes: Number(bytes ?? 0) }]),
  );
}

/** The log's head counts its entries. */
export async function auditFigures(db: Database): Promise<{ readonly entries: number }> {
  const head = await db.selectFrom('audit_head').select('seq').executeTakeFirst();
  return { entries: Number(head?.seq ?? 0) };
}
