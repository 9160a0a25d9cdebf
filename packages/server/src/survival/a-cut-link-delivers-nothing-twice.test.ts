/** Server and workers on test hosts of their own, PostgreSQL and S3 on a further one (this machine); one worker loses its link. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AcknowledgedJob, submitAll } from './clients.js';
import { Dice } from './dice.js';
import { type ExternalServices, externalServices } from './external-services.suite.js';
import { Installation } from './installation.js';
import { noTestHosts, type TestHost, testHost } from './network-namespaces.suite.js';
import { allEnded, keyOfService, longStudy, runningJobs, violationsOf, wanted } from './shared-queue.suite.js';
import { until } from './until.js';

const why = await noTestHosts();
if (why) console.warn(`SKIPPED, the test of cut links: ${why}`);

describe.skipIf(why)('a worker whose link is cut', () => {
  const hosts: TestHost[] = [];
  let services: ExternalServices;
  let installation: Installation;

  beforeAll(async () => {
    for (const n of [0, 1, 2]) hosts.push(await testHost(n));
    const [serverHost, ...workerHosts] = hosts as [TestHost, ...TestHost[]];
    services = await externalServices();
    const key = await keyOfService(services.databaseUrl);
    installation = await Installation.start({
      workers: 2,
      serverWorkers: () => 0,
      apart: true,
      // The address on the server's link stays when a worker's link is cut.
      ...(await services.at(serverHost.gateway)),
      askUrl: services.databaseUrl,
      env: services.env,
      host: serverHost.address,
      key,
      before: (worker) => (worker === undefined ? serverHost : workerHosts[worker]!).before,
    });
  }, 300_000);
  afterAll(async () => {
    await installation?.close();
    await services?.close();
    for (const host of hosts) await host.remove();
  }, 120_000);

  it('loses its jobs to the others, and delivers nothing when the link returns', async () => {
    const acknowledged: AcknowledgedJob[] = [];
    const refused: string[] = [];
    const input = await longStudy();
    const submitting = submitAll(
      Array.from({ length: 4 }, () => wanted(input)),
      {
        client: await installation.client(),
        dice: new Dice(1),
        run: 'cut-link',
        atOnce: 2,
        onAcknowledged: (job) => acknowledged.push(job),
        onViolation: (text) => refused.push(text),
      },
    );
    const [cutOff, other] = installation.workers;
    const link = hosts[1]!;
    const lost = await until(240_000, 'the first worker is in mid-job', async () =>
      (await runningJobs(installation)).find(({ pid }) => pid === cutOff!.pid),
    );
    await link.cut();
    const cutAt = performance.now();
    await submitting;
    const moved = await until(240_000, 'its job was taken from it', async () => {
      const [row] = await installation.ask<{ worker: string; attempts: number; state: string }>(
        'select worker, attempts, state from job where id = $1',
        [lost.id],
      );
      return row && (row.attempts > lost.attempts || row.state === 'succeeded') ? row : undefined;
    });
    console.log(`runs elsewhere ${((performance.now() - cutAt) / 1000).toFixed(1)} s after the cut (${moved.state})`);
    expect(moved.worker).not.toBe(lost.worker);
    expect(moved.attempts).toBe(lost.attempts + 1);
    await allEnded(installation);
    await link.mend();
    // It says that it lives again: from now on it could do harm.
    await until(240_000, 'the cut-off worker is back', async () => {
      const alive = await installation.ask<{ pid: number }>(
        `select pid from job_worker where heartbeat_at > now() - interval '3 s'`,
      );
      return alive.some(({ pid }) => pid === cutOff!.pid) || undefined;
    });
    const more = wanted(input);
    await submitAll([more, more], {
      client: await installation.client(),
      dice: new Dice(2),
      run: 'after-the-cut',
      atOnce: 2,
      onAcknowledged: (job) => acknowledged.push(job),
      onViolation: (text) => refused.push(text),
    });
    await allEnded(installation);
    expect(refused).toEqual([]);
    expect(acknowledged).toHaveLength(6);
    expect(other!.ownEnds).toEqual([]);
    expect(cutOff!.ownEnds).toEqual([]);
    expect(await violationsOf(installation, services, acknowledged)).toEqual([]);
    expect(await installation.stop()).toEqual([]);
  }, 900_000);
});
