/** The id under which the clients of a protocol know a job, where it is not ours. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table job add column external_id text`.execute(db);
  await sql`create unique index job_external_id on job (protocol, external_id) where external_id is not null`.execute(
    db,
  );
}
