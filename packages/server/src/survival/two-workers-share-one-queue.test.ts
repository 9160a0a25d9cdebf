/** Two workers on data directories of their own, as on two machines, with an external PostgreSQL and an S3 store. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AcknowledgedJob, submitAll } from './clients.js';
import { Dice } from './dice.js';
import { type ExternalServices, externalServices } from './external-services.suite.js';
import { Installation } from './installation.js';
import { belonging, processes } from './process-table.js';
import { allEnded, longStudy, runningJobs, violationsOf, wanted } from './shared-queue.suite.js';
import type { Supervised } from './supervised.js';
import { until } from './until.js';

describe.skipIf(process.platform !== 'linux')('two workers in two processes', () => {
  let services: ExternalServices;
  let installation: Installation;
  const acknowledged: AcknowledgedJob[] = [];
  const refused: string[] = [];

  beforeAll(async () => {
    services = await externalServices();
    const { databaseUrl, blobStore, env } = services;
    installation = await Installation.start({
      workers: 2,
      serverWorkers: () => 0,
      apart: true,
      databaseUrl,
      blobStore,
      env,
    });
  }, 300_000);
  afterAll(async () => {
    await installation?.close();
    await services?.close();
  }, 120_000);

  it('share one waiting line; when one is killed in mid-job, the other finishes the work', async () => {
    const input = await longStudy();
    const submitting = submitAll(
      Array.from({ length: 4 }, () => wanted(input)),
      {
        client: await installation.client(),
        dice: new Dice(1),
        run: 'two-workers',
        atOnce: 2,
        onAcknowledged: (job) => acknowledged.push(job),
        onViolation: (text) => refused.push(text),
      },
    );
    await until(240_000, 'both workers have a job', async () => {
      const rows = await runningJobs(installation);
      return new Set(rows.map(({ pid }) => pid)).size === 2 || undefined;
    });
    await submitting;
    const [doomed, survivor] = installation.workers as [Supervised, Supervised];
    const lost = await until(240_000, 'the first worker is in mid-job', async () =>
      (await runningJobs(installation)).find(({ pid }) => pid === doomed.pid),
    );
    // kill -9 without a supervisor: this machine is gone.
    expect(await doomed.stop(0)).toBe(false);
    await allEnded(installation);
    const [row] = await installation.ask<{ attempts: number; worker: string }>(
      'select attempts, worker from job where id = $1',
      [lost.id],
    );
    // Unless it was killed in the moment between the end of its work and our look.
    if (row!.attempts > lost.attempts) expect(row!.worker).not.toBe(lost.worker);
    console.log(`the job of the killed worker took ${row!.attempts} attempts`);
    const alive = await installation.ask<{ pid: number }>('select pid from job_worker');
    expect(alive.map(({ pid }) => pid)).toEqual([survivor.pid]);
    expect(refused).toEqual([]);
    expect(acknowledged).toHaveLength(4);
    expect(await violationsOf(installation, services, acknowledged)).toEqual([]);
  }, 600_000);

  it('leave no process behind when they are stopped', async () => {
    expect(await installation.stop()).toEqual([]);
    expect(belonging(await processes(), installation.folder, [])).toEqual([]);
  }, 240_000);
});
