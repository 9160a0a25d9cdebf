/** What has had its time: kept inputs of failed jobs, results after their protocol's retention, jobs that lost their message. */
import { sql } from 'kysely';
import { SYSTEM } from '../accounts/actor.js';
import type { Database } from '../state/database.js';
import { type EndingParts, lockJob, noticeJob, releaseInputs } from './job-ending.js';

/** Jobs per round and reason: a sweep after a long pause must not hold its caller for minutes. */
const MOST_PER_SWEEP = 1_000;

export async function sweepJobs(
  db: Database,
  parts: EndingParts,
  resultRetentionMs: Readonly<Record<string, number>>,
): Promise<void> {
  await parts.queue.mend();
  const inputs = await db
    .selectFrom('job')
    .select('id')
    .where('inputs_kept_until', '<', sql<Date>`clock_timestamp()`)
    .limit(MOST_PER_SWEEP)
    .execute();
  for (const { id } of inputs) await eraseKeptInputs(db, parts, id);
  for (const [protocol, ms] of Object.entries(resultRetentionMs)) {
    const results = await db
      .selectFrom('job')
      .select('id')
      .where('state', '=', 'succeeded')
      .where('results_erased_at', 'is', null)
      .where('protocol', '=', protocol)
      .where('finished_at', '<', sql<Date>`clock_timestamp() - make_interval(secs => ${ms / 1000}::float8)`)
      .limit(MOST_PER_SWEEP)
      .execute();
    for (const { id } of results) await eraseResults(db, parts, id, `kept for ${Math.round(ms / 1000)} s`);
  }
}

async function eraseKeptInputs(db: Database, parts: EndingParts, id: string): Promise<void> {
  const erase = await db.transaction().execute(async (tx) => {
    const row = await lockJob(tx, id);
    if (row?.state !== 'failed' || !row.inputs_kept || !row.inputs_kept_until) return [];
    await tx.updateTable('job').set({ inputs_kept: false, inputs_kept_until: null }).where('id', '=', id).execute();
    return releaseInputs(tx, parts.blobs, row, 'was not retried in time');
  });
  await parts.blobs.eraseReleased(erase);
}

/** Files and report go, the row stays: who asked what when is still known. */
export async function eraseResults(db: Database, parts: EndingParts, id: string, reason: string): Promise<void> {
  const erase = await db.transaction().execute(async (tx) => {
    const row = await lockJob(tx, id);
    if (row?.state !== 'succeeded' || row.results_erased_at) return [];
    const files = await tx.deleteFrom('job_file').where('job_id', '=', id).returning('blob_id').execute();
    for (const { blob_id } of files)
      await parts.blobs.release(blob_id, `results of job ${id}: ${reason}`, tx, { kind: 'result', id });
    await tx
      .updateTable('job')
      .set({ report: null, results_erased_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', id)
      .execute();
    await noticeJob(tx, id);
    await parts.audit.record(
      {
        actor: SYSTEM,
        action: 'results.erased',
        subject: { kind: 'job', id },
        reason,
        details: { files: files.length },
      },
      tx,
    );
    return files.map(({ blob_id }) => blob_id);
  });
  await parts.blobs.eraseReleased(erase);
}
