/**
 * The whole program as a process: the lines of InnerEye-Inference's own README, run by curl as they stand there; a server
 * that is killed in the middle of runs (IE4); images that are gone in the end, with the file that says so (IE5).
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithPrograms } from '../../../../../tools/test/needs.js';
import { eventually, newHome, ServerProcess } from '../../serve/server-process.suite.js';
import { askAt, endedAt, entriesOf, errorOf, phantom, zipOf } from './innereye.suite.js';

const run = promisify(execFile);
const LONG_MS = 600_000;
const SECRET = 'p4ss with blanks';
const RUN_ID = 'api_inference_1629291609_fb5dfdf9';

/** From the README, to the letter. */
const PING = `curl -i -H "API_AUTH_SECRET: <val of CUSTOMCONNSTR_API_AUTH_SECRET>" http://localhost:5000/v1/ping`;
const START = `curl -i \\
    -X POST \\
    -H "API_AUTH_SECRET: <val of CUSTOMCONNSTR_API_AUTH_SECRET>" \\
    --data-binary @Tests/TestData/HN.zip \\
    http://localhost:5000/v1/model/start/PassThroughModel:4`;
const RESULTS = `curl -i \\
    -H "API_AUTH_SECRET: <val of CUSTOMCONNSTR_API_AUTH_SECRET>" \\
    --head \\
    http://localhost:5000/v1/model/results/${RUN_ID} \\
    --next \\
    -H "API_AUTH_SECRET: <val of CUSTOMCONNSTR_API_AUTH_SECRET>" \\
    --output "HN_rt.zip" \\
    http://localhost:5000/v1/model/results/${RUN_ID}`;
const SET_ENVIRONMENT = `#!/bin/bash
export CUSTOMCONNSTR_AZUREML_SERVICE_PRINCIPAL_SECRET=unused

export CUSTOMCONNSTR_API_AUTH_SECRET="${SECRET}"
export CLUSTER=gpu
export EXPERIMENT_NAME=clinic
export IMAGE_DATA_FOLDER=images
`;

let home: string;
let work: string;
let server: ServerProcess;
let study: Buffer;
beforeAll(async () => {
  home = await newHome();
  work = await mkdtemp(join(tmpdir(), 'isocenter-curl-'));
  await writeFile(join(home, 'set_environment.sh'), SET_ENVIRONMENT);
  study = await zipOf(await phantom({ size: [256, 256, 60], spacing: [1.5, 1.5, 5] }));
  await mkdir(join(work, 'Tests/TestData'), { recursive: true });
  await writeFile(join(work, 'Tests/TestData/HN.zip'), study);
  server = await start();
}, LONG_MS);
afterAll(async () => {
  await server?.close();
  await rm(work, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}, LONG_MS);

const start = (environment: Record<string, string> = {}) =>
  ServerProcess.start({ home, environment: { ISOCENTER_PROTOCOLS: '{"innereye":{"port":0}}', ...environment } });

/** Dies at once, as in a power cut; the next one takes the data directory over. */
async function restart(environment?: Record<string, string>): Promise<void> {
  process.kill(server.pid, 'SIGKILL');
  await eventually('the killed server is gone', () => !server.alive);
  server = await start(environment);
}

const ask = (path: string, wish: Parameters<typeof askAt>[2] = {}) =>
  askAt(server.url, path, { secret: SECRET, ...wish });
const post = async (model = 'PassThroughModel:1729', body: Uint8Array = study) => {
  const answer = await ask(`/v1/model/start/${model}`, { method: 'POST', body });
  expect(answer.status).toBe(201);
  return answer.body.toString();
};
const stateOfNewest = async () => {
  const { items } = await server.client().jobs.list({ protocol: 'innereye', limit: 1 });
  return items[0]?.state;
};
/** Texts of all imagedata.zip, and how many runs still wait for theirs. */
async function erasures() {
  const folder = join(home, 'images');
  const names = (await readdir(folder)).filter((name) => name !== '.waiting');
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name, 'imagedata.zip'), 'utf8')));
  return { texts, waiting: await readdir(join(folder, '.waiting')) };
}
/** What of uploads is in the blob store's folder: none of its files holds the study. */
async function holdsStudy(): Promise<boolean> {
  const entries = await readdir(join(home, 'blobs'), { recursive: true, withFileTypes: true });
  for (const entry of entries)
    if (entry.isFile() && (await readFile(join(entry.parentPath, entry.name))).equals(study)) return true;
  return false;
}

describeWithPrograms(['curl', 'sh'], 'the lines of the README', () => {
  const curl = async (line: string, id = RUN_ID) => {
    const here = line
      .replaceAll('<val of CUSTOMCONNSTR_API_AUTH_SECRET>', SECRET)
      .replaceAll('http://localhost:5000', server.url)
      .replaceAll(RUN_ID, id);
    const { stdout } = await run('sh', ['-c', here], { cwd: work, encoding: 'latin1' });
    // curl asks first before it sends a megabyte, and shows the answer to that, too.
    return stdout.replace('HTTP/1.1 100 Continue\r\n\r\n', '');
  };

  it(
    'ping, start, and HEAD then GET of the results',
    async () => {
      expect(await curl(PING)).toMatch(/^HTTP\/1\.1 200 .*content-type: text\/html; charset=utf-8\r\n.*\r\n\r\n$/is);
      expect(await curl(PING)).toMatch(/content-length: 0\r\n/i);
      const started = await curl(START);
      expect(started).toMatch(/^HTTP\/1\.1 201 /);
      expect(started).toMatch(/\r\ncontent-type: text\/plain\r\n/i);
      const id = /\r\n\r\n(clinic_[0-9]{10}_[0-9a-f]{8})$/.exec(started)?.[1];
      expect(id).toBeDefined();
      await endedAt(server.url, id!, SECRET);
      const results = await curl(RESULTS, id);
      expect(results).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(results).toMatch(/\r\ncontent-type: application\/zip\r\n/i);
      const zip = await readFile(join(work, 'HN_rt.zip'));
      // With -i the second request's headers stand before the bytes in the file, as they always did.
      const at = zip.indexOf('\r\n\r\n') + 4;
      const body = zip.subarray(0, 4).toString('latin1') === 'HTTP' ? zip.subarray(at) : zip;
      expect(Number(/\r\ncontent-length: (\d+)/i.exec(results)?.[1])).toBe(body.length);
      expect((await entriesOf(body)).map(({ name }) => name)).toEqual(['segmentation.dcm']);
    },
    LONG_MS,
  );
});

describe('its own port', () => {
  it('answers GET / with its health, and nothing of ours', async () => {
    const own = /http:\/\/127\.0\.0\.1:(\d+)/g;
    const ports = [...server.output.matchAll(own)]
      .map(([, port]) => Number(port))
      .filter((port) => port !== server.port);
    expect(ports.length).toBeGreaterThan(0);
    const url = `http://127.0.0.1:${ports[0]}`;
    const { status, headers, body } = await askAt(url, '/', { secret: null, headers: { accept: 'text/html' } });
    expect([status, headers['content-type'], body.toString()]).toEqual([
      200,
      'application/json',
      '{"status":"Healthy"}\n',
    ]);
    expect((await askAt(url, '/v1/ping', { secret: SECRET })).status).toBe(200);
    expect((await askAt(url, '/isocenter/v1/jobs', { secret: SECRET })).status).toBe(404);
  });
});

describe('a server that is killed', () => {
  it(
    'while runs wait and while one works: every run ends as if nothing had been, and its images go',
    async () => {
      // Nobody takes them: not started when the server dies.
      await restart({ ISOCENTER_WORKERS: '0' });
      const waiting = [await post(), await post('PassThroughModel:7'), await post('ct-basic', Buffer.from('no zip'))];
      for (const id of waiting) expect((await ask(`/v1/model/results/${id}`)).status).toBe(202);
      expect(await holdsStudy()).toBe(true);
      await restart();
      const working = await post('ct-basic');
      await eventually('a run works', async () => (await stateOfNewest()) !== 'queued');
      await restart();
      for (const id of [...waiting.slice(0, 2), working]) {
        const answer = await endedAt(server.url, id, SECRET);
        expect(answer.status).toBe(200);
        expect((await entriesOf(answer.body)).map(({ name }) => name)).toEqual(['segmentation.dcm']);
      }
      const bad = await endedAt(server.url, waiting[2]!, SECRET);
      expect(errorOf(bad)).toMatchObject({ status: 400, extra_details: 'InvalidZipFile' });
      // The killed worker may have held them: they are let go after a minute.
      await eventually('the images are gone', async () => !(await holdsStudy()), 300_000);
      await eventually('every run says so', async () => (await erasures()).waiting.length === 0, 300_000);
      const { texts } = await erasures();
      for (const text of texts) expect(text.split('\n', 1)[0]).toBe('image data deleted');
      for (const id of [...waiting, working])
        expect(texts.filter((text) => text.includes(`run ${id} `))).toHaveLength(1);
    },
    LONG_MS,
  );

  it(
    'after a run, before anybody asked for it: the next one writes that its images are gone',
    async () => {
      const runId = await post();
      await eventually('the run has ended', async () => (await stateOfNewest()) === 'succeeded', 120_000);
      expect((await erasures()).waiting).toContain(runId);
      await restart();
      await eventually('the file is written', async () => (await erasures()).waiting.length === 0, 300_000);
      expect((await erasures()).texts.some((text) => text.includes(`run ${runId} succeeded`))).toBe(true);
      expect(await holdsStudy()).toBe(false);
      expect((await ask(`/v1/model/results/${runId}`)).status).toBe(200);
    },
    LONG_MS,
  );
});
