/** What a hospital does with a server all day, many times over: for soaks. Each lane repeats its work until told to stop. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ProblemError } from '@isocenter/client';
import { makePhantom } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { signNetwork } from '../registry/onnx/onnx-files.suite.js';
import type { ServerProcess } from './server-process.suite.js';

export const MODELS = ['ct-basic', 'Phantom', 'PassThroughModel'] as const;
const NAME = 'soak';
const PASSWORD = 'a long enough pass phrase of the soak';

export interface Studies {
  readonly good: Buffer<ArrayBuffer>;
  readonly bad: readonly Buffer<ArrayBuffer>[];
}

export async function smallStudies(): Promise<Studies> {
  const { files } = await makePhantom({ kind: 'thorax', size: [48, 48, 10], spacing: [9.6, 9.6, 28] });
  const good = Buffer.from(await writeZip(files));
  const cut = files.map(({ name, bytes }) => ({ name, bytes: bytes.subarray(0, -200) }));
  return {
    good,
    bad: [
      Buffer.from(await writeZip([{ name: 'a.txt', bytes: Buffer.from('no image') }])),
      Buffer.from(await writeZip(cut)),
      Buffer.from(good.subarray(0, good.length / 2)),
      Buffer.from('neither zip nor image'),
    ],
  };
}

/** The job when it has ended. Follows its events, and asks when the stream ends early. */
export async function endOf(client: Client, job: string) {
  for (;;) {
    for await (const { state } of client.jobs.events({ job })) if (!isOpen(state)) break;
    const now = await client.jobs.get({ job });
    if (!isOpen(now.state)) return now;
    await sleep(100);
  }
}

function isOpen(state: string): boolean {
  return state === 'queued' || state === 'running';
}

export interface MixedWork {
  /** How often each lane went through. */
  readonly counts: Readonly<Record<string, number>>;
  /** What went otherwise than it should. */
  readonly faults: readonly string[];
  stop(): Promise<void>;
}

export async function startMixedWork(server: ServerProcess): Promise<MixedWork> {
  const studies = await smallStudies();
  const owner = server.client();
  const doctor = server.client(await server.key('clinician', 'doctor'));
  const machine = server.client(await server.key('service', 'machine'));
  await makeAdministrator(server);
  const stopping = new AbortController();
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  let turn = 0;

  const lanes: Record<string, () => Promise<void>> = {
    'jobs that succeed': async () => {
      const model = MODELS[turn++ % MODELS.length];
      const { id } = await machine.jobs.create({ model, body: studies.good });
      const job = await endOf(machine, id);
      if (job.state !== 'succeeded') throw new Error(`${model}: ${job.state} ${job.failure?.kind}`);
      const zip = await (await machine.results.download({ job: id })).read();
      if (zip.length === 0) throw new Error('an empty zip');
      if (model === 'ct-basic') await (await machine.results.download({ job: id, format: 'nrrd' })).read();
      await machine.feedback.give({ job: id, accepted: true, structures: [] });
      if (turn % 2 === 0) await owner.results.erase({ job: id, reason: 'soak' });
    },
    'jobs that fail': async () => {
      const body = studies.bad[turn++ % studies.bad.length];
      const { id } = await machine.jobs.create({ model: 'ct-basic', body, maxAttempts: 1 });
      const { state } = await endOf(machine, id);
      if (state !== 'failed') throw new Error(`a bad study ${state}`);
    },
    'jobs that are cancelled': async () => {
      const { id } = await machine.jobs.create({ model: 'ct-basic', body: studies.good });
      const watching = new AbortController();
      for await (const { state } of machine.jobs.events({ job: id }, { signal: watching.signal })) {
        if (state === 'running') break;
        if (!isOpen(state)) return;
      }
      await owner.jobs.cancel({ job: id }).catch((error) => allow(error, [409]));
      await endOf(machine, id);
    },
    studies: async () => {
      const study = await doctor.studies.add({ body: studies.good });
      await doctor.studies.inspect({ study: study.id, model: 'ct-basic' });
      const { id } = await doctor.jobs.createFromStudy({ study: study.id, model: 'Phantom' });
      await endOf(doctor, id);
      await doctor.studies.remove({ study: study.id });
    },
    'lists and figures': async () => {
      await machine.jobs.list({ limit: 20 });
      await owner.jobs.list({ states: ['failed'], limit: 500 });
      await owner.audit.list({ limit: 100 });
      await owner.models.list({});
      await owner.operations.statistics({});
      await (await server.request(server.token, 'GET', '/metrics')).text();
      await (await server.request(undefined, 'GET', '/')).text();
      await (await server.request(undefined, 'GET', '/health/ready')).text();
    },
    'requests that are refused': async () => {
      for (const [key, path] of [
        ['iso_wrong', '/isocenter/v1/jobs'],
        [server.token, '/isocenter/v1/jobs/nothing'],
        [server.token, '/isocenter/v1/jobs?cursor=nonsense'],
        [undefined, '/nothing/at/all'],
      ] as const) {
        const { status } = await server.request(key, 'GET', path);
        if (status < 400 || status >= 500) throw new Error(`${path} has status ${status}`);
      }
    },
    'people who sign in': async () => {
      const response = await fetch(`${server.url}/auth/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: NAME, password: PASSWORD }),
      });
      if (response.status === 429) return void (await response.text());
      if (response.status !== 200 && response.status !== 201 && response.status !== 204)
        throw new Error(`sign-in has status ${response.status}`);
      await response.text();
      const cookie = response.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
      const me = await fetch(`${server.url}/isocenter/v1/me`, { headers: { cookie } });
      if (me.status !== 200) throw new Error(`/me has status ${me.status}`);
      await me.text();
      await (
        await fetch(`${server.url}/auth/sign-out`, { method: 'POST', headers: { cookie, origin: server.url } })
      ).text();
    },
    keys: async () => {
      const { id, key } = await owner.keys.create({ name: `key ${turn}`, role: 'service' });
      await server.client(key).jobs.list({ limit: 1 });
      await owner.keys.revoke({ key: id });
    },
    'models that come and go': async () => {
      const body = Buffer.from(signNetwork(['i', 'j', 'k']));
      const name = `sign-${createHash('sha256').update(String(Math.random())).digest('hex').slice(0, 8)}`;
      const model = await owner.models.add({ name, version: '1', kind: 'segmentation', structures: ['Up'], body });
      await (await owner.models.export({ model: model.id })).read();
      await owner.models.warm({ model: model.id }).catch((error) => allow(error, [503, 507]));
      await owner.models.evict({ model: model.id });
      await owner.models.remove({ model: model.id });
    },
  };

  const running = Object.entries(lanes).map(async ([name, work]) => {
    counts[name] = 0;
    while (!stopping.signal.aborted) {
      try {
        await work();
        counts[name]++;
      } catch (error) {
        faults.push(
          `${name}: ${error instanceof ProblemError ? `${error.status} ${error.kind} ${error.message}` : error}`,
        );
        if (faults.length > 20) return;
      }
      await sleep(20);
    }
  });
  return {
    counts,
    faults,
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

function allow(error: unknown, statuses: readonly number[]): void {
  if (!(error instanceof ProblemError) || !statuses.includes(error.status ?? 0)) throw error;
}

async function makeAdministrator(server: ServerProcess): Promise<void> {
  const token = (await server.setupLink()).searchParams.get('token') ?? '';
  await server.client().invites.accept({ token, name: NAME, password: PASSWORD });
}

export interface Sample {
  readonly seconds: number;
  readonly residentMegabytes: number;
  readonly heapMegabytes: number;
  readonly handles: number;
  readonly databaseConnections: number;
  readonly processes: number;
  readonly files: number;
}

const MEGABYTE = 1024 * 1024;

export async function sample(server: ServerProcess, began: number): Promise<Sample> {
  const metrics = await (await server.request(server.token, 'GET', '/metrics')).text();
  const heap = Number(/^nodejs_heap_size_used_bytes\s+(\S+)/m.exec(metrics)?.[1]);
  const { processes } = server;
  return {
    seconds: Math.round((performance.now() - began) / 1000),
    residentMegabytes: Math.round(server.residentBytes / MEGABYTE),
    heapMegabytes: Math.round(heap / MEGABYTE),
    handles: server.handles.length,
    databaseConnections: processes.filter(({ command }) => /^postgres: .* isocenter isocenter /.test(command)).length,
    processes: processes.length,
    files: (await server.leavings()).length,
  };
}
