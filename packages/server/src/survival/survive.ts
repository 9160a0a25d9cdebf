/**
 * One run: an installation, clients that submit mixed jobs, and somebody who kills its processes meanwhile; then the look at
 * what is there. docs/how-to/survival.md says what is promised and how to read the tables.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type AcknowledgedJob, type SubmitOptions, submitAll } from './clients.js';
import { Dice } from './dice.js';
import { letAnHourPass, readDatabase } from './evidence.js';
import { makeInputs, type WantedJob, wantedJobs } from './inputs.js';
import { Installation, PROGRAM } from './installation.js';
import { type Kill, Killer, killKinds, planKills } from './kills.js';
import { leftovers } from './leftovers.js';
import { storedObjects } from './stored-objects.js';
import type { OwnEnd } from './supervised.js';
import { until } from './until.js';
import { judge, type Violation } from './verdict.js';

export interface SurvivalOptions {
  readonly jobs: number;
  readonly kills: number;
  readonly seed: number;
  readonly workers: number;
  readonly log: (line: string) => void;
  /** Leaves the folder of the run, with its logs, when there were violations. */
  readonly keep?: boolean;
}

export interface SurvivalReport {
  readonly seed: number;
  readonly seconds: number;
  readonly acknowledged: readonly AcknowledgedJob[];
  readonly kills: readonly Kill[];
  /** `good`, `bad` and `once` (good, but may be tried once) → ending → how many. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly attempts: readonly number[];
  readonly abandonedBlobs: number;
  readonly auditEntries: number;
  readonly violations: readonly Violation[];
  /** With the logs; undefined when it was removed. */
  readonly folder: string | undefined;
}

const CLIENTS = 4;
/** At most so many times the jobs asked for, while kills are still to come. */
const MORE = 10;
/** Without any job's end for this long, the rest is not waited for any more. */
const STANDSTILL_MS = 240_000;
const SWEEP_MS = 120_000;

export async function survive(options: SurvivalOptions): Promise<SurvivalReport> {
  const { jobs, seed, log } = options;
  const dice = new Dice(seed);
  const began = performance.now();
  const violations: Violation[] = [];
  const inputs = await makeInputs();
  const wanted = wantedJobs(inputs, jobs, dice);
  const plan = planKills(options.kills, jobs, dice);
  const serverDice = new Dice(seed + 1);
  const installation = await Installation.start({ workers: options.workers, serverWorkers: () => serverDice.below(2) });
  let intact = false;
  try {
    log(
      `ready after ${seconds(began)} s: ${jobs} jobs, ${plan.length} kills, ${options.workers} workers, in ${installation.folder}`,
    );
    const acknowledged: AcknowledgedJob[] = [];
    const killer = new Killer(installation, new Dice(seed + 2), log);
    const client = await installation.client();
    const progress = watchEnds(installation, jobs, log);
    const submission: SubmitOptions = {
      client,
      dice: new Dice(seed + 3),
      run: `survival-${seed}`,
      atOnce: CLIENTS,
      onAcknowledged: (job) => acknowledged.push(job),
      onViolation: (found, job) => violations.push({ promise: 'every request is acknowledged, once', found, job }),
    };
    let killing = true;
    let submitted = false;
    const over = () => submitted && progress.ended() >= acknowledged.length;
    const kill = killer.run(plan, progress.ended, over).finally(() => {
      killing = false;
    });
    const submit = submitAll(wanted, submission)
      .then(() =>
        submitWhile(
          () => killing,
          () => acknowledged.length - progress.ended(),
          wantedJobs(inputs, jobs * MORE, dice),
          submission,
        ),
      )
      .finally(() => {
        submitted = true;
      });
    await Promise.all([submit, kill, progress.until(over)]);
    log(`all is quiet after ${seconds(began)} s; now the evidence`);
    violations.push(
      ...killer.missed.map((kind) => ({ promise: 'the harness does its work', found: `no ${kind} was killed` })),
    );
    violations.push(
      ...killKinds
        .filter((kind) => !killer.kills.some((kill) => kill.kind === kind))
        .map((kind) => ({
          promise: 'the harness does its work',
          found: `not one ${kind} was killed`,
        })),
    );
    const abandonedBlobs = await restart(installation, violations);
    const evidence = { ...(await readDatabase(installation.ask)), objects: await storedObjects(installation.home) };
    violations.push(...judge(acknowledged, evidence), ...(await verifyAudit(installation)));
    await stopAll(installation, violations);
    violations.push(...(await leftovers(installation)));
    violations.push(
      ...installation.programs
        .flatMap(({ ownEnds }) => ownEnds.filter((end) => !excused(end, killer.kills)))
        .map(endedAlone),
    );
    const byId = new Map(evidence.jobs.map((job) => [job.id, job]));
    intact = violations.length === 0;
    return {
      seed,
      seconds: Number(seconds(began)),
      acknowledged,
      kills: killer.kills,
      outcomes: tally(
        acknowledged.map(({ id, wanted }) => [
          wanted.failure ? `bad: ${wanted.input.name}` : wanted.maxAttempts === 1 ? 'good, one attempt' : 'good',
          byId.get(id)?.state === 'failed' ? `failed: ${byId.get(id)?.failure?.kind}` : (byId.get(id)?.state ?? 'lost'),
        ]),
      ),
      attempts: acknowledged.map(({ id }) => byId.get(id)?.attempts ?? 0),
      abandonedBlobs,
      auditEntries: evidence.entries.length,
      violations,
      folder: options.keep && !intact ? installation.folder : undefined,
    };
  } finally {
    await installation.close(options.keep && !intact);
  }
}

/** A fast machine may end the jobs before the plan has come to kill a process that has one: then more come, a few at a time. */
async function submitWhile(
  wanting: () => boolean,
  open: () => number,
  jobs: readonly WantedJob[],
  submission: SubmitOptions,
): Promise<void> {
  for (const [n, job] of jobs.entries()) {
    while (wanting() && open() >= CLIENTS) await sleep(200);
    if (!wanting()) return;
    await submitAll([job], { ...submission, run: `${submission.run}-more-${n}`, atOnce: 1 });
  }
}

/** Looks at the jobs once in a while, from outside, as far as there is a database. */
function watchEnds(installation: Installation, jobs: number, log: (line: string) => void) {
  let ended = 0;
  let lastChange = performance.now();
  const look = async () => {
    const [row] = await installation.ask<{ n: string }>(
      `select count(*) as n from job where state not in ('queued', 'running')`,
    );
    const now = Number(row?.n ?? 0);
    if (now !== ended) lastChange = performance.now();
    if (Math.floor(now / 20) > Math.floor(ended / 20)) log(`${now} of ${jobs} jobs have ended`);
    ended = now;
  };
  return {
    ended: () => ended,
    async until(over: () => boolean): Promise<void> {
      while (!over()) {
        await look().catch(() => undefined);
        if (performance.now() - lastChange > STANDSTILL_MS)
          throw new Error(`No job has ended for ${STANDSTILL_MS / 1000} s; ${ended} of ${jobs} have`);
        await sleep(200);
      }
    },
  };
}

/** Everything is stopped in order and started again, an hour later as far as waiting bytes are concerned; then the sweeper has had its turn. */
async function restart(installation: Installation, violations: Violation[]): Promise<number> {
  await installation.ready();
  await stopWorkers(installation, violations);
  const waiting = await letAnHourPass(installation.ask);
  await stopAll(installation, violations);
  installation.server.start();
  await installation.ready();
  for (const worker of installation.workers) worker.start();
  await until(SWEEP_MS, 'the sweeper erased what nobody keeps', async () => {
    const [row] = await installation.ask<{ n: string }>(
      `select count(*) as n from blob where due_at is not null and state <> 'erased' and due_at < now() + interval '1 minute'`,
    );
    return row?.n === '0' || undefined;
  }).catch((error: Error) => violations.push({ promise: 'no image outlives its job', found: error.message }));
  return waiting;
}

async function stopWorkers({ workers }: Installation, violations: Violation[]): Promise<void> {
  await Promise.all(
    workers.map(async (worker) => {
      if (!(await worker.stop(90_000))) violations.push({ promise: 'a stop ends in time', found: worker.name });
    }),
  );
}

async function stopAll(installation: Installation, violations: Violation[]): Promise<void> {
  for (const name of await installation.stop()) violations.push({ promise: 'a stop ends in time', found: name });
  for (const { name, lastExit } of installation.programs)
    if (lastExit !== 'exit 0') violations.push({ promise: 'a stop is clean', found: `${name}: ${lastExit}` });
}

/** By the command that an administrator would use. */
async function verifyAudit({ home }: Installation): Promise<readonly Violation[]> {
  try {
    await promisify(execFile)(process.execPath, [PROGRAM, 'audit', 'verify', '--home', home]);
    return [];
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return [{ promise: 'the audit log is intact', found: `${stdout}${stderr}`.trim().slice(0, 500) }];
  }
}

/** A program that was on its way up when its database was killed may give up: the service manager starts it again. */
function excused({ ready, startedAt, endedAt }: OwnEnd, kills: readonly Kill[]): boolean {
  const inItsTime = kills.some(
    ({ kind, at }) =>
      kind !== 'compute child' && kind !== 'worker' && at.getTime() <= endedAt && at.getTime() >= startedAt - 30_000,
  );
  return !ready && inItsTime;
}

function endedAlone({ name, ready, status, lastWords }: OwnEnd): Violation {
  return {
    promise: ready ? 'only kill -9 ends a program' : 'a restart is clean',
    found: `${name} ended by itself (${status}): ${lastWords.trim()}`,
  };
}

function tally(pairs: readonly (readonly [string, string])[]): Record<string, Record<string, number>> {
  const table: Record<string, Record<string, number>> = {};
  for (const [row, column] of pairs) {
    const counts = table[row] ?? {};
    table[row] = { ...counts, [column]: (counts[column] ?? 0) + 1 };
  }
  return table;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
