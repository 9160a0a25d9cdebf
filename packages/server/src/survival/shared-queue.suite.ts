/** What the tests of several machines have in common: a job that takes long enough to be interrupted, and the final look. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePhantom } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { SYSTEM } from '../accounts/actor.js';
import { openAccounts } from '../accounts/open-accounts.js';
import { openAuditLog } from '../audit/open-audit-log.js';
import { openState } from '../state/open-state.js';
import type { AcknowledgedJob } from './clients.js';
import { letAnHourPass, readDatabase } from './evidence.js';
import type { ExternalServices } from './external-services.suite.js';
import type { JobInput, WantedJob } from './inputs.js';
import type { Installation } from './installation.js';
import { until } from './until.js';
import { judge, type Violation } from './verdict.js';

const MINUTES_MS = 240_000;

/** Some seconds of work on one core: there is time to see it run and to take its worker away. */
export async function longStudy(): Promise<JobInput> {
  const { files } = await makePhantom({ size: [192, 192, 40], spacing: [2.4, 2.4, 7] });
  return { name: 'long CT', bytes: new Uint8Array(await writeZip(files, { level: 1 })) };
}

export function wanted(input: JobInput): WantedJob {
  return { input, model: 'ct-basic', formats: ['rtstruct'], failure: undefined, maxAttempts: 10 };
}

/** A migrated database with an administrator, so that a server may listen beyond loopback; the key of a service. */
export async function keyOfService(databaseUrl: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'isocenter-setup-'));
  const state = await openState({ home, databaseUrl });
  try {
    const accounts = openAccounts({ db: state.db, audit: openAuditLog({ db: state.db }) });
    const link = await accounts.setupLink();
    if (link) await accounts.acceptInvite(link.token, 'ada', 'a long enough passphrase of a test', '127.0.0.1');
    const { key } = await accounts.createKey({ name: 'survival', role: 'service' }, SYSTEM);
    await accounts.close();
    return key;
  } finally {
    await state.close();
    await rm(home, { recursive: true, force: true });
  }
}

export interface RunningRow extends Record<string, unknown> {
  readonly id: string;
  readonly pid: number;
  readonly attempts: number;
  readonly worker: string;
}

/** Jobs that run at this moment, with the process that has them. */
export function runningJobs({ ask }: Installation): Promise<readonly RunningRow[]> {
  return ask<RunningRow>(
    `select j.id, j.attempts, j.worker, w.pid from job j join job_worker w on w.id = j.worker where j.state = 'running'`,
  );
}

export async function allEnded({ ask }: Installation): Promise<void> {
  await until(MINUTES_MS, 'all jobs have ended', async () => {
    const [row] = await ask<{ n: string }>(`select count(*) as n from job where state in ('queued', 'running')`);
    return row?.n === '0' || undefined;
  });
}

/** After an hour and a sweep: is there one result for each, and nothing else? */
export async function violationsOf(
  installation: Installation,
  services: ExternalServices,
  acknowledged: readonly AcknowledgedJob[],
): Promise<readonly Violation[]> {
  await letAnHourPass(installation.ask);
  await until(MINUTES_MS, 'the sweeper erased what nobody keeps', async () => {
    const [row] = await installation.ask<{ n: string }>(
      `select count(*) as n from blob where state <> 'erased' and due_at < now() + interval '1 minute'`,
    );
    return row?.n === '0' || undefined;
  });
  return judge(acknowledged, { ...(await readDatabase(installation.ask)), objects: await services.objects() });
}
