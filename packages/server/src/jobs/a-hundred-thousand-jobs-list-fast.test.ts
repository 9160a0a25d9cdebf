/** The figures are printed, never asserted: they are the machine's. What is asserted: plans without sorts of everything, and pages that join. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DurableDatabase, durableDatabase } from './durable-database.suite.js';
import type { JobFilter } from './job.js';
import { ADMINISTRATOR, type JobHarness, jobHarness, SERVICE } from './job-harness.suite.js';

const ROWS = 100_000;
const WAITING = 70_000;

describe('a hundred thousand jobs', () => {
  let database: DurableDatabase;
  let harness: JobHarness;
  beforeAll(async () => {
    database = await durableDatabase();
    harness = await jobHarness({ url: database.url });
  });
  afterAll(async () => {
    await harness?.close();
    await database?.close();
  });

  it('do not slow down the start of one on an idle worker', async () => {
    const worker = await harness.worker();
    console.log(`idle, durable: ${await latencies(harness, 60)}`);
    await worker.stop();
  });

  it('list by page with any filter', async () => {
    await fill(harness);
    const filters: Record<string, JobFilter> = {
      none: {},
      'state failed': { states: ['failed'] },
      'states queued, running': { states: ['queued', 'running'] },
      'all five states': { states: ['queued', 'running', 'succeeded', 'failed', 'cancelled'] },
      'rare model': { model: 'm:49' },
      'model and state': { model: 'm:3', states: ['succeeded', 'failed'] },
      'protocol and state': { protocol: 'segint', states: ['failed'] },
      requester: { requestedBy: 'k-3' },
      'requester, model, state': { requestedBy: 'k-3', model: 'm:3', states: ['succeeded'] },
      'no match': { model: 'm:3', states: ['running'] },
      'time range': {
        createdAfter: new Date(Date.now() - 2 * 86_400_000),
        createdBefore: new Date(Date.now() - 86_400_000),
      },
    };
    for (const [name, filter] of Object.entries(filters)) {
      const times: number[] = [];
      for (let n = 0; n < 9; n++) {
        const from = performance.now();
        await harness.jobs.list(filter, { limit: 50 }, ADMINISTRATOR);
        times.push(performance.now() - from);
      }
      console.log(`page of 50, ${name}: ${figures(times)}`);
    }
    const own = performance.now();
    await harness.jobs.list({}, { limit: 50 }, SERVICE);
    console.log(`page of 50, own jobs only: ${(performance.now() - own).toFixed(1)} ms`);
    const counted = performance.now();
    const { byState } = await harness.jobs.statistics();
    console.log(`statistics: ${(performance.now() - counted).toFixed(1)} ms, ${JSON.stringify(byState)}`);
  });

  it('come in pages that neither repeat nor leave out, while others are added', async () => {
    const filter: JobFilter = { model: 'm:7', states: ['succeeded', 'failed', 'cancelled'] };
    const expected = await harness.db
      .selectFrom('job')
      .select('id')
      .where('model', '=', 'm:7')
      .where('state', 'in', filter.states!)
      .execute();
    const seen: string[] = [];
    for (let cursor: string | undefined, first = true; first || cursor; first = false) {
      const page = await harness.jobs.list(filter, { limit: 37, ...(cursor ? { cursor } : {}) }, ADMINISTRATOR);
      seen.push(...page.jobs.map(({ id }) => id));
      await harness.create({}, { model: 'm:7', inputBlobIds: [] });
      cursor = page.next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect([...seen].sort()).toEqual(expected.map(({ id }) => id).sort());
    for (const cursor of ['', 'x', Buffer.from("1 '; drop table job").toString('base64url')])
      await expect(harness.jobs.list({}, { limit: 5, cursor }, ADMINISTRATOR)).rejects.toMatchObject({
        kind: 'bad-cursor',
      });
  });

  it('are read and taken along indexes', async () => {
    const page = await explain(
      sql`select * from job where state = 'failed' order by created_at desc, id desc limit 51`,
    );
    console.log(page);
    expect(page).toMatch(/Index Scan using job_by_state/);
    const taking = await explain(sql`
      select id from pgboss.job where name = 'fake' and state < 'active' and start_after < now()
      order by priority desc, created_on, id limit 1 for update skip locked`);
    console.log(taking);
    expect(taking).toMatch(/isocenter_taking_fake/);
    expect(taking).not.toMatch(/Sort/);
  });

  it('do not slow down the start of an urgent one, which comes first', async () => {
    const worker = await harness.worker({ slots: 1 });
    console.log(`urgent, ${WAITING} wait: ${await latencies(harness, 20, 50)}`);
    await worker.stop();
  });

  async function explain(query: ReturnType<typeof sql>): Promise<string> {
    const { rows } = await sql<{ 'QUERY PLAN': string }>`explain (analyze, costs off) ${query}`.execute(harness.db);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }
});

/** From the call of create to the first line of the handler. */
async function latencies(harness: JobHarness, count: number, priority = 0): Promise<string> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const asked = Date.now();
    const { id } = await harness.create({}, { priority, inputBlobIds: [] });
    await harness.until(id);
    const line = (await harness.journal()).find((each) => each.id === id && each.event === 'started');
    times.push(line!.at - asked);
  }
  return `enqueue → started ${figures(times)}`;
}

function figures(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms`;
}

async function fill({ db }: JobHarness): Promise<void> {
  await sql`
    insert into job (id, kind, state, priority, protocol, requester_kind, requester_id, requester_name, model,
      input_blob_ids, inputs_kept, parameters, max_attempts, message_id, created_at, finished_at)
    select gen_random_uuid(), 'fake', case when n <= ${WAITING} then 'queued'
        else (array['succeeded', 'succeeded', 'succeeded', 'failed', 'cancelled'])[1 + n % 5] end,
      n % 3, (array['rest', 'innereye', 'segint'])[1 + n % 3], 'key', 'k-' || (n % 20), 'key', 'm:' || (n % 50),
      '{}', false, '{"formats": ["rtstruct"]}', 3, case when n <= ${WAITING} then gen_random_uuid() end,
      clock_timestamp() - n * interval '9 seconds', case when n <= ${WAITING} then null else clock_timestamp() end
    from generate_series(1, ${ROWS}::int) n`.execute(db);
  await sql`
    insert into pgboss.job (id, name, data, priority, created_on, start_after, policy)
    select message_id, 'fake', json_build_object('jobId', id), priority, created_at, created_at, 'standard' from job
    where state = 'queued'`.execute(db);
  await sql`analyze`.execute(db);
}
