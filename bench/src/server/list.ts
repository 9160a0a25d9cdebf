/**
 * One page of 50 of many jobs over HTTP, with the filters that people use. Argument: number of jobs. `seconds` is the slowest filter's
 * median. Rows are put in by SQL, as ended jobs; each page is compared with what SQL counts.
 */
import { join } from 'node:path';
import { joinState } from '../../../packages/server/dist/state/open-state.js';
import { startIsocenter } from './isocenter.js';
import { median, milliseconds, print, quantile } from './printed.js';
import { memoryOf } from './process-memory.js';
import { inFolder } from './served.js';

const rows = Number(process.argv[2]);
const PAGE = 50;
const REPEATS = 15;
const DAY_MS = 86_400_000;

const dayAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();

/** Query of the address, and the same as a condition of SQL. */
const filters: Readonly<Record<string, readonly [query: Readonly<Record<string, string>>, where: string]>> = {
  'no filter': [{}, 'true'],
  'one state': [{ states: 'failed' }, "state = 'failed'"],
  'three states': [{ states: 'succeeded,failed,cancelled' }, 'true'],
  'rare model': [{ model: 'm:499' }, "model = 'm:499'"],
  'model and state': [
    { model: 'm:3', states: 'failed,cancelled' },
    "model = 'm:3' and state in ('failed', 'cancelled')",
  ],
  'protocol and state': [{ protocol: 'segint', states: 'failed' }, "protocol = 'segint' and state = 'failed'"],
  requester: [{ requestedBy: 'k-3' }, "requester_id = 'k-3'"],
  'requester, model, state': [
    { requestedBy: 'k-3', model: 'm:3', states: 'succeeded' },
    "requester_id = 'k-3' and model = 'm:3' and state = 'succeeded'",
  ],
  'one day': [
    { createdAfter: dayAgo(3), createdBefore: dayAgo(2) },
    `created_at >= '${dayAgo(3)}' and created_at <= '${dayAgo(2)}'`,
  ],
  'no match': [{ model: 'm:3', states: 'running' }, 'false'],
};

await inFolder(async (folder) => {
  const home = join(folder, 'home');
  const server = await startIsocenter(home, ['--workers', '0']);
  try {
    const state = await joinState({ home });
    await state.pool.query(
      `insert into job (id, kind, state, priority, protocol, requester_kind, requester_id, requester_name, model,
         input_blob_ids, inputs_kept, parameters, max_attempts, created_at, finished_at)
       select gen_random_uuid(), 'segment', (array['succeeded', 'succeeded', 'succeeded', 'failed', 'cancelled'])[1 + n % 5],
         n % 3, (array['rest', 'innereye', 'segint'])[1 + n % 3], 'key', 'k-' || (n / 5 % 20), 'key', 'm:' || (n / 7 % 500),
         '{}', false, '{"formats": ["rtstruct"]}', 3, clock_timestamp() - n * interval '9 seconds', clock_timestamp()
       from generate_series(1, $1::int) n`,
      [rows],
    );
    await state.pool.query('analyze job');
    const medians: Record<string, number> = {};
    const all: number[] = [];
    const wrong: string[] = [];
    for (const [name, [query, where]] of Object.entries(filters)) {
      const url = `${server.url}/isocenter/v1/jobs?${new URLSearchParams({ ...query, limit: String(PAGE) })}`;
      const times: number[] = [];
      let items = -1;
      for (let n = 0; n < REPEATS; n++) {
        const from = performance.now();
        const response = await fetch(url, { headers: server.headers });
        const page = (await response.json()) as { readonly items?: readonly unknown[] };
        times.push(performance.now() - from);
        items = page.items?.length ?? -1;
      }
      const counted = await state.pool.query(
        `select count(*)::int as n from (select from job where ${where} limit ${PAGE}) j`,
      );
      if (items !== counted.rows[0].n) wrong.push(`${name}: ${items} instead of ${counted.rows[0].n}`);
      medians[name] = median(times);
      all.push(...times);
    }
    const { rows: counts } = await state.pool.query('select count(*)::int as n from job');
    await state.close();
    const slowest = Object.entries(medians).sort((a, b) => b[1] - a[1])[0];
    print({
      seconds: slowest[1] / 1000,
      peakBytes: memoryOf(server.roots),
      check: { jobs: counts[0].n, wrong },
      figures: [
        `slowest filter: ${slowest[0]}`,
        `fastest ${milliseconds(Math.min(...Object.values(medians)))}`,
        `p95 of all ${milliseconds(quantile(all, 0.95))}`,
      ],
    });
  } finally {
    await server.stop();
  }
});
process.exit(0);
