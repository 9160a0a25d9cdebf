/**
 * Every kind of attack of specs/anchors.md 4.2 that fits through HTTP, against the whole server: each has its status, and after
 * each the server lives, is ready, still does its work, kept nothing, and did not grow.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { api } from '@isocenter/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { talk } from '../http/fake-context.suite.js';
import { archives, gzipBomb, images, rawZip } from './hostile-files.suite.js';
import { endOf, type Studies, smallStudies } from './mixed-work.suite.js';
import { eventually, ServerProcess } from './server-process.suite.js';

// Whole servers on machines that are busy with other tests.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const MEGABYTE = 1024 * 1024;
const LIMIT_MEGABYTES = 64;
/** Garbage of a busy minute included; every bomb here would be gigabytes. */
const GROWTH_MEGABYTES = 300;
const DOORS = [
  '/isocenter/v1/jobs?model=ct-basic&maxAttempts=1',
  '/isocenter/v1/studies',
  '/isocenter/v1/models?name=x',
];
const MARK = `/tmp/isocenter-hostile-${process.pid}-was-here`;

let server: ServerProcess;
let studies: Studies;
let before: number;
/** Length of the log before the test. */
let said: number;

beforeAll(async () => {
  studies = await smallStudies();
  server = await ServerProcess.start({
    environment: {
      ISOCENTER_MAXIMUM_UPLOAD_MEGABYTES: String(LIMIT_MEGABYTES),
      ISOCENTER_UPLOADS_AT_ONCE: '100',
      ISOCENTER_TASK_MEMORY_MEGABYTES: '2048',
    },
  });
  await works();
});
afterAll(() => server?.close());

beforeEach(() => {
  server.forgetPeak();
  before = server.residentBytes;
  said = server.output.length;
});

afterEach(async () => {
  expect((server.peakBytes - before) / MEGABYTE).toBeLessThan(GROWTH_MEGABYTES);
  await works();
  await eventually('nothing is left', async () => (await server.leavings()).length === 0);
  expect(existsSync(MARK)).toBe(false);
  // What the server calls a defect of its own is one, whatever was sent.
  const logged = server.output.slice(said).split('\n');
  expect(logged.filter((line) => /"level":50|defect|TypeError|RangeError/.test(line))).toEqual([]);
});

async function works(): Promise<void> {
  expect(server.alive && (await server.ready())).toBe(true);
  const client = server.client();
  const { id } = await client.jobs.create({ model: 'Phantom', body: studies.good, priority: 100 });
  expect((await endOf(client, id)).state).toBe('succeeded');
}

/** What the doors of this test answer in JSON: ids, or problems. */
const read = async (answer: Response) => (await answer.json()) as { readonly id: string; readonly kind?: string };

const post = (path: string, body: Uint8Array | string, headers: Record<string, string> = {}) =>
  server.request(server.token, 'POST', path, {
    body,
    headers: { 'content-type': 'application/octet-stream', ...headers },
  });

const head = (path: string, ...headers: string[]) =>
  [`POST ${path} HTTP/1.1`, 'host: localhost', `authorization: Bearer ${server.token}`, ...headers, '', ''].join(
    '\r\n',
  );
const BYTES = 'content-type: application/octet-stream';

describe.each(DOORS)('POST %s', (door) => {
  it('refuses lengths that lie, codings that nobody asked for, and bodies without end', async () => {
    const bomb = await post(door, gzipBomb(), { 'content-encoding': 'gzip' });
    expect([bomb.status, (await read(bomb)).kind]).toEqual([415, 'unsupported-encoding']);
    const { port } = server;
    const declared = await talk(port, [head(door, BYTES, 'content-length: 4294967296'), 'ten bytes.'], /too-large/);
    expect(declared.status).toBe(413);
    const both = await talk(port, [
      head(door, BYTES, 'content-length: 5', 'transfer-encoding: chunked', 'connection: close'),
      '0\r\n\r\n',
    ]);
    expect(both.status).toBe(400);
    const block = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')]);
    const endless = await talk(
      port,
      [head(door, BYTES, 'transfer-encoding: chunked'), ...Array.from({ length: 17 * LIMIT_MEGABYTES }, () => block)],
      /too-large/,
    );
    expect(endless.status).toBe(413);
    const flood = Array.from({ length: 100_000 }, (_, n) => `x-${n}: 1`);
    expect((await talk(port, [head(door, ...flood)])).status).toBe(431);
    const slow = await talk(port, [head(door, BYTES, 'content-length: 50000000'), 'ten bytes.'], /slow-body/);
    expect(slow.status).toBe(408);
  });

  it('takes a million chunks of one byte for what they are', async () => {
    const chunks = Buffer.from('1\r\nx\r\n'.repeat(10_000));
    const answer = await talk(server.port, [
      head(door, BYTES, 'transfer-encoding: chunked', 'connection: close'),
      ...Array.from({ length: 100 }, () => chunks),
      '0\r\n\r\n',
    ]);
    expect([201, 202, 422]).toContain(answer.status);
    await quiet();
  });

  it('forgets uploads that stop half-way', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => opened(server.port)));
    for (const socket of sockets) socket.write(head(door, BYTES, 'content-length: 1000000'));
    for (const socket of sockets) socket.write(randomBytes(300_000));
    await sleep(200);
    for (const socket of sockets) socket.destroy();
    await quiet();
  });
});

/** Until no job waits or runs. */
async function quiet(): Promise<void> {
  const open = async () => (await server.client().jobs.list({ states: ['queued', 'running'] })).items.length;
  await eventually('all jobs ended', async () => (await open()) === 0, 300_000);
}

function opened(port: number): Promise<Socket> {
  return new Promise((done, refuse) => {
    const socket = connect(port, '127.0.0.1', () => done(socket));
    socket.on('error', refuse);
  });
}

/** Through all three doors: the job fails, the study is told, the model is refused; each in words without a place of ours. */
async function everyDoor(bytes: Buffer) {
  const client = server.client();
  const [jobs, kept, models] = DOORS;
  const taken = await post(jobs, bytes);
  expect(taken.status).toBe(202);
  const job = await endOf(client, (await read(taken)).id);
  const study = await post(kept, bytes);
  expect(study.status).toBe(201);
  const { id } = await read(study);
  const seen = await server.request(server.token, 'GET', `/isocenter/v1/studies/${id}/series?model=ct-basic`);
  const inspected = await seen.text();
  await client.studies.remove({ study: id });
  const model = await post(models, bytes);
  const refused = await read(model);
  for (const text of [JSON.stringify(job.failure ?? {}), inspected, JSON.stringify(refused)])
    expect(text).not.toMatch(/\/(tmp|work|home|usr|node_modules)\/|\bat \S+ \(|root:x:/);
  return {
    state: job.state,
    failure: job.failure?.kind,
    inspected: seen.status,
    model: model.status,
    kind: refused.kind,
  };
}

describe('archives that lie', () => {
  it.each(Object.entries(archives()))('%s', async (_what, bytes) => {
    const seen = await everyDoor(bytes);
    expect(seen).toMatchObject({ state: 'failed', failure: expect.any(String), kind: expect.any(String) });
    expect([200, 413, 422]).toContain(seen.inspected);
    expect([413, 422]).toContain(seen.model);
  });
});

describe('images that lie', async () => {
  it.each(Object.entries(await images()))('%s', async (_what, bytes) => {
    const seen = await everyDoor(bytes);
    expect(['failed', 'succeeded']).toContain(seen.state);
    if (seen.state === 'failed') expect(seen.failure).not.toMatch(/crashed|defect/);
    expect([200, 422]).toContain(seen.inspected);
    expect([413, 422]).toContain(seen.model);
  });
});

describe('bundles and networks that want more than to compute', () => {
  const metadata = JSON.stringify({ version: '1', isocenter: { name: 'hostile', channels: [{ name: 'x' }] } });
  const bundle = (inference: unknown, more: readonly { name: string; data: Buffer }[] = []) =>
    rawZip([
      { name: 'configs/metadata.json', data: Buffer.from(metadata) },
      {
        name: 'configs/inference.json',
        data: Buffer.from(typeof inference === 'string' ? inference : JSON.stringify(inference)),
      },
      ...more,
    ]);
  const pickle = Buffer.from(`\x80\x02cposix\nsystem\nX\x10\x00\x00\x00touch ${MARK}\x85R.`, 'latin1');
  const calls = [
    `$__import__('os').system('touch ${MARK}')`,
    `$process.mainModule`,
    `$(lambda: 1)()`,
    `$${'('.repeat(5000)}`,
  ];

  it.each<[string, Buffer]>([
    ...calls.map((call): [string, Buffer] => [
      call.slice(0, 40),
      bundle({ network_def: { _target_: 'UNet', x: call }, network: call }),
    ]),
    [
      'an imported module',
      bundle({ imports: ['$import os'], network_def: { _target_: 'os.system', _args_: [`touch ${MARK}`] } }),
    ],
    ['a pickle', bundle({ network_def: { _target_: 'UNet' } }, [{ name: 'models/model.pt', data: pickle }])],
    [
      'a network that is none',
      bundle({ network_def: { _target_: 'UNet' } }, [{ name: 'models/model.onnx', data: randomBytes(5000) }]),
    ],
    ['prototype keys', bundle('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')],
    ['a name that climbs', bundle({}, [{ name: '../../../../tmp/isocenter-hostile', data: Buffer.from('x') }])],
    ['a deep configuration', bundle(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)],
    ['bytes of nothing', randomBytes(100_000)],
    ['an ONNX of lengths that lie', Buffer.from([0x08, 0x08, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x0a])],
  ])('%s', async (_what, bytes) => {
    const answer = await post('/isocenter/v1/models?name=hostile&version=9', bytes);
    const model = await read(answer);
    if (answer.status === 201) {
      // Kept as what cannot be run, or runs as what it says without the rest: loading it starts nothing.
      const warm = await server.request(server.token, 'POST', `/isocenter/v1/models/${model.id}/warm`);
      expect([200, 422]).toContain(warm.status);
      await server.client().models.evict({ model: model.id });
      await server.client().models.remove({ model: model.id });
    } else expect([413, 422]).toContain(answer.status);
  });

  it.each([
    ['a name with separators', { name: '../../x' }],
    ['a name with a NUL', { name: 'a\0b' }],
    ['a version that is a path', { version: '../1' }],
    ['structures that are not', { structures: [{ name: '__proto__', label: -1 }] }],
    ['prototype keys', { ['__proto__']: { x: 1 }, constructor: { prototype: 1 } }],
    ['a megabyte', { description: 'x'.repeat(900_000) }],
  ])('a form with %s', async (_what, fields) => {
    const form = new FormData();
    form.set('form', JSON.stringify({ name: 'x', version: '1', kind: 'segmentation', ...fields }));
    form.set('file', new Blob([randomBytes(1000)]), '../../../evil.onnx');
    const answer = await server.request(server.token, 'POST', '/isocenter/v1/models', { body: form });
    expect([400, 413, 422]).toContain(answer.status);
  });
});

describe('addresses and texts', () => {
  const tricks = [
    '..%2f..%2fetc%2fpasswd',
    '%2e%2e',
    'a%00b',
    "'%20OR%201=1--",
    '%27;drop%20table%20job;--',
    '__proto__',
    'constructor',
    'x'.repeat(300),
    '%F0%9F%92%A9',
    '%ff%fe',
    '00000000-0000-0000-0000-000000000000',
    '-1',
    '1e999',
    'a%0d%0ax:y',
    '$%7Bjndi%7D',
  ];

  it('no id of any route is more than an id', async () => {
    const wrong: string[] = [];
    for (const area of Object.values(api))
      for (const { method, path } of Object.values(area) as { method: string; path: string }[]) {
        if (!path.includes(':')) continue;
        for (const trick of tricks) {
          const body =
            method === 'GET' || method === 'DELETE'
              ? {}
              : { body: '{}', headers: { 'content-type': 'application/json' } };
          const { status } = await server.request(server.token, method, path.replaceAll(/:\w+/g, trick), body);
          if (status < 400 || status >= 500) wrong.push(`${method} ${path} ${trick.slice(0, 30)}: ${status}`);
        }
      }
    expect(wrong).toEqual([]);
  });

  it('no query is more than a query', async () => {
    const wrong: string[] = [];
    const cursors = [
      '9'.repeat(400),
      'eyJuIjoxfQ',
      Buffer.from('{"n":"1; drop table job"}').toString('base64url'),
      'AAAA',
      '%00',
    ];
    for (const list of ['jobs', 'models', 'studies', 'audit', 'feedback', 'telemetry'])
      for (const field of [
        'cursor',
        'limit',
        'model',
        'subject',
        'actor',
        'after',
        'family',
        'job',
        'states',
        'requestedBy',
        '__proto__',
      ])
        for (const value of [...tricks, ...cursors]) {
          const { status } = await server.request(server.token, 'GET', `/isocenter/v1/${list}?${field}=${value}`);
          if (status !== 200 && (status < 400 || status >= 500))
            wrong.push(`${list} ${field}=${value.slice(0, 30)}: ${status}`);
        }
    expect(wrong).toEqual([]);
  });

  it('no JSON is more than JSON', async () => {
    const bodies: (string | Uint8Array)[] = [
      '{"__proto__":{"role":"administrator"}}',
      `${'['.repeat(100_000)}`,
      `{"name":"${'x'.repeat(3 * MEGABYTE)}"}`,
      new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]),
      '{"name":"a","name":"b"}',
      'null',
      '[]',
      '"x"',
      '{"name":{"$gt":""}}',
      `{"name":"'; drop table account; --","password":"x"}`,
      '{"name":"\\u0000"}',
      '{"name":"\\ud800"}',
      '1e999',
    ];
    for (const path of [
      '/auth/sign-in',
      '/isocenter/v1/keys',
      '/isocenter/v1/sessions',
      '/isocenter/v1/invites',
      '/isocenter/v1/telemetry',
    ])
      for (const body of bodies) {
        const { status } = await post(path, body, { 'content-type': 'application/json' });
        if (status === 201) continue; // A name may look like SQL; it is only text.
        expect([400, 401, 403, 413, 422, 429], `${path} ${String(body).slice(0, 40)}`).toContain(status);
      }
  });
});

describe('crowds', () => {
  it('a thousand idle connections leave room for one that works', async () => {
    const idle = await Promise.all(Array.from({ length: 1_000 }, () => opened(server.port)));
    await works();
    for (const socket of idle) socket.destroy();
    await eventually('they are gone', () => server.handles.length < 200);
  });

  it('a flood of jobs from one key all end, and five hundred watch one of them', async () => {
    const key = await server.key('service', 'flood');
    const client = server.client(key);
    const made = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const answer = await server.request(key, 'POST', '/isocenter/v1/jobs?model=ct-basic&maxAttempts=1', {
          body: studies.bad[0],
          headers: { 'content-type': 'application/zip' },
        });
        expect([202, 503]).toContain(answer.status);
        return ((await answer.json()) as { id?: string }).id;
      }),
    );
    const jobs = made.filter((id) => id !== undefined);
    const last = jobs.at(-1) as string;
    const ends = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const answer = await server.request(key, 'GET', `/isocenter/v1/jobs/${last}/events`);
        return answer.status === 200 ? (await answer.text()).includes('"failed"') : answer.status === 503;
      }),
    );
    expect(ends.every(Boolean)).toBe(true);
    for (const id of jobs) expect((await endOf(client, id)).state).toBe('failed');
  });

  it('ranges that lie get 416, or all of it', async () => {
    const client = server.client();
    const { id } = await client.jobs.create({ model: 'Phantom', body: studies.good });
    await endOf(client, id);
    const wanted: Record<string, number> = {
      'bytes=0-0': 206,
      'bytes=-5': 206,
      'bytes=0-999999999999999': 206,
      'bytes=999999999999-': 416,
      'bytes=5-1': 416,
      'bytes=-0': 416,
      'bytes=0-1,2-3': 200,
      'bytes=a-b': 200,
      'lines=0-1': 200,
      'bytes=99999999999999999999-': 200,
      [`bytes=${'0-0,'.repeat(1000)}1-1`]: 200,
    };
    for (const [range, status] of Object.entries(wanted)) {
      const answer = await server.request(server.token, 'GET', `/isocenter/v1/jobs/${id}/results`, {
        headers: { range },
      });
      expect(answer.status, range.slice(0, 40)).toBe(status);
      await answer.arrayBuffer();
    }
  });
});
