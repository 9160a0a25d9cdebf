/** Whether a job that has not ended refers to a model version, which therefore must stay. */
import type { Executor } from '../state/database.js';

export async function versionIsNeeded(versionId: string, executor: Executor): Promise<boolean> {
  const row = await executor
    .selectFrom('job')
    .select('id')
    .where('model_version_id', '=', versionId)
    .where('state', 'in', ['queued', 'running'])
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
