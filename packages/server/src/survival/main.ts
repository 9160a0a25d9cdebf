/** `npm run survival -- --jobs 200 --seed 7`: kills processes of a real installation and shows that nothing is lost. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { reportText } from './report.js';
import { survive } from './survive.js';

const USAGE = `Usage: npm run survival -- [--jobs 200] [--kills 40] [--seed N] [--workers 2] [--keep]
  --jobs     mixed jobs that are posted over HTTP
  --kills    kill -9 of server, worker, compute child, postmaster, backend; at least one of each
  --seed     repeats the random decisions of a run
  --workers  worker processes beside the server
  --keep     leaves data and logs of a run with violations`;

const LARGEST_SEED = 2 ** 31;
const JOBS_PER_KILL = 5;

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '200' },
    kills: { type: 'string' },
    seed: { type: 'string' },
    workers: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(USAGE);
else {
  const jobs = whole('jobs', values.jobs);
  const began = Date.now();
  const report = await survive({
    jobs,
    kills: whole('kills', values.kills ?? String(Math.ceil(jobs / JOBS_PER_KILL))),
    seed: values.seed === undefined ? randomInt(LARGEST_SEED) : whole('seed', values.seed),
    workers: whole('workers', values.workers),
    keep: values.keep,
    log: (line) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} ${line}`),
  });
  console.log(`\n${reportText(report)}`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number above 0\n${USAGE}`);
  return value;
}
