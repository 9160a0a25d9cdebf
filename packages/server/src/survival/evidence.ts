/**
 * What a run left behind, read by statements and file reads of its own: nothing here goes through the code of jobs, blobs or
 * audit, so that a fault there cannot hide itself.
 */
import type { Ask } from './installation.js';

export interface SeenJob {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly max_attempts: number;
  readonly message_id: string | null;
  readonly inputs_kept: boolean;
  readonly failure: { readonly kind?: string; readonly message?: string } | null;
  readonly exact: boolean | null;
  readonly idempotency_key: string | null;
}

export interface SeenFile {
  readonly job_id: string;
  readonly ordinal: number;
  readonly name: string;
  readonly bytes: string;
  readonly sha256: string;
  readonly blob_id: string;
}

export interface SeenBlob {
  readonly id: string;
  readonly key: string;
  readonly purpose: string;
  readonly state: string;
  readonly sha256: string | null;
  readonly due: boolean;
  /** `kind id` of those that keep it. */
  readonly owners: readonly string[];
}

export interface SeenEntry {
  readonly seq: string;
  readonly action: string;
  readonly subject_id: string;
  readonly reason: string | null;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Evidence {
  readonly jobs: readonly SeenJob[];
  readonly files: readonly SeenFile[];
  readonly blobs: readonly SeenBlob[];
  readonly entries: readonly SeenEntry[];
  readonly objects: readonly StoredObject[];
  readonly messages: number;
}

export async function readDatabase(ask: Ask): Promise<Omit<Evidence, 'objects'>> {
  const jobs = await ask<SeenJob & Record<string, unknown>>(`
    select id, state, attempts, max_attempts, message_id, inputs_kept, failure, idempotency_key,
           (report->>'exact')::boolean as exact
    from job order by created_at`);
  const files = await ask<SeenFile & Record<string, unknown>>(
    'select job_id, ordinal, name, bytes, sha256, blob_id from job_file order by job_id, ordinal',
  );
  const blobs = await ask<SeenBlob & Record<string, unknown>>(`
    select b.id, b.key, b.purpose, b.state, b.sha256, b.due_at is not null as due,
           coalesce(array_agg(o.kind || ' ' || o.owner_id) filter (where o.kind is not null), '{}') as owners
    from blob b left join blob_owner o on o.blob_id = b.id and o.released_at is null
    group by b.id`);
  const entries = await ask<SeenEntry & Record<string, unknown>>(
    'select seq, action, subject_id, reason from audit_entry order by seq',
  );
  const [{ n = '0' } = {}] = await ask<{ n: string }>('select count(*) as n from pgboss.job');
  return { jobs, files, blobs, entries, messages: Number(n) };
}

/**
 * An hour passes for everything that waits for its time: uploads whose request died before its job was made, results whose worker
 * died before they were delivered. What somebody keeps has no such time, so nothing else changes.
 */
export async function letAnHourPass(ask: Ask): Promise<number> {
  // A reader that was killed holds what it read for a minute.
  await ask(`update blob_use set until = until - interval '61 minutes'`);
  const rows = await ask(`
    update blob set due_at = due_at - interval '61 minutes'
    where due_at is not null and state <> 'erased' returning id`);
  return rows.length;
}
