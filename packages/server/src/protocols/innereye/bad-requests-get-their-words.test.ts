/** What broken and hostile clients send to these routes, each with its status and, where it has one, its document. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Ask,
  errorOf,
  type InnerEyeServer,
  innereyeServer,
  PASS_THROUGH,
  phantom,
  SECRET,
  zipOf,
} from './innereye.suite.js';

const START = `/v1/model/start/${PASS_THROUGH}`;
const PING = '/v1/ping';
const GATEWAY = { accept: 'text/html', 'user-agent': 'InnerEye-Gateway', 'content-type': 'application/zip' };
const GRACE_MS = 300;

let server: InnerEyeServer;
beforeAll(async () => {
  server = await innereyeServer({
    slots: 0,
    limits: { uploadBytes: 1 << 20, slowGraceMs: GRACE_MS, slowBytesPerSecond: 10_000, uploads: 2 },
  });
});
afterAll(() => server.close());

/** Bytes as they are given; what came back until the server closed. */
function raw(text: string, end = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
      socket.write(text);
      if (end) socket.end();
    });
    let answer = '';
    socket.setEncoding('latin1').on('data', (part) => {
      answer += part;
    });
    socket.once('close', () => resolve(answer)).once('error', reject);
  });
}

describe('the secret', () => {
  const status = async (ask: Ask) => (await server.ask(PING, ask)).status;

  it('is taken under both spellings and in any case', async () => {
    for (const name of ['API_AUTH_SECRET', 'API-AUTH-SECRET', 'api_auth_secret', 'Api-Auth-Secret'])
      expect(await status({ secret: null, headers: { [name]: SECRET } }), name).toBe(200);
  });

  it('is one: several are wrong, whatever they hold', async () => {
    expect(await status({ secret: [SECRET, SECRET] })).toBe(403);
    expect(await status({ secret: [SECRET, 'x'] })).toBe(403);
    expect(await status({ headers: { 'api-auth-secret': SECRET } })).toBe(403);
    expect(await status({ secret: `${SECRET}, ${SECRET}` })).toBe(403);
  });

  it('is compared whole: no part, no longer one, no other case', async () => {
    for (const secret of [
      SECRET.slice(0, -1),
      `${SECRET}x`,
      SECRET.toUpperCase(),
      '*',
      '%',
      '\u00e9',
      'x'.repeat(4000),
    ])
      expect(await status({ secret }), secret.slice(0, 30)).toBe(403);
  });

  it('may be one of our API keys instead, which sees only its own runs', async () => {
    const key = server.keys.service;
    expect(await status({ secret: key })).toBe(200);
    expect(await status({ secret: `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}` })).toBe(403);
    const mine = await server.start(await zipOf(await phantom()), PASS_THROUGH, key);
    const path = `/v1/model/results/${mine}`;
    expect((await server.ask(path, { secret: key })).status).toBe(202);
    expect((await server.ask(path)).status).toBe(404);
    expect((await server.ask(path, { secret: server.keys['data-scientist'] })).status).toBe(404);
    expect((await server.ask(path, { secret: null, headers: { authorization: `Bearer ${key}` } })).status).toBe(202);
  });

  it('is asked for before anything else, also before a body of 2 GB', async () => {
    const head = `POST ${START} HTTP/1.1\r\nHost: x\r\nContent-Length: 2147483648\r\nExpect: 100-continue\r\n`;
    const answer = await raw(`${head}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 401 The header API_AUTH_SECRET is missing\r\n/);
    expect(await raw(`${head}API_AUTH_SECRET: no\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('is not needed on no port: without one only keys come in', async () => {
    const closed = await innereyeServer({ slots: 0, flags: { innereyeSecret: ' ' } });
    try {
      for (const secret of ['', ' ', 'undefined', 'null', SECRET])
        expect((await closed.ask(PING, { secret })).status, secret).toBe(403);
      expect((await closed.ask(PING, { secret: null })).status).toBe(401);
      expect((await closed.ask(PING, { secret: closed.keys.service })).status).toBe(200);
    } finally {
      await closed.close();
    }
  });

  it('stands in no log', () => {
    expect(server.logged.join('')).not.toContain(SECRET);
  });
});

describe('addresses and methods', () => {
  it.each([
    ['GET', START],
    ['PUT', START],
    ['POST', PING],
    ['DELETE', '/v1/model/results/x_1234567890_abcdef01'],
  ])('%s %s is 405 and says what there is, without a secret', async (method, path) => {
    const { status, headers } = await server.ask(path, { method, secret: null });
    expect(status).toBe(405);
    expect(headers.allow).toContain(path === START ? 'POST' : 'GET');
  });

  it.each([
    [PING, 'GET, HEAD, OPTIONS'],
    [START, 'OPTIONS, POST'],
    ['/v1/model/results/x', 'GET, HEAD, OPTIONS'],
  ])('OPTIONS %s is 200 and empty', async (path, allow) => {
    const { status, headers, body } = await server.ask(path, { method: 'OPTIONS', secret: null });
    expect([status, headers.allow, body.length]).toEqual([200, allow, 0]);
  });

  it.each([
    `${PING}/`,
    `${START}/`,
    '/v1/model/start/',
    '/v1/model/results/',
    '/v1/model/results/x/y',
    '/v1',
    '/v1/models',
  ])('%s is 404', async (path) => {
    const method = path.includes('start') ? 'POST' : 'GET';
    expect((await server.ask(path, { method })).status).toBe(404);
  });

  it.each([
    ['PassThroughModel', 201],
    ['PassThroughModel:99', 201],
    ['ct-basic', 201],
    ['PassThroughModel:latest', 404],
    ['PassThroughModel:', 404],
    [':1729', 404],
    ['passthroughmodel:1729', 404],
    ['ct-basic:99', 404],
    ['a%2Fb', 404],
    ['%F0%9F%A9%BB', 404],
    ["'; drop table job; --", 404],
    ['x'.repeat(500), 404],
    ['00000000-0000-4000-8000-000000000000', 404],
  ])('the model %s is %i', async (model, expected) => {
    const answer = await server.ask(`/v1/model/start/${encodeURIComponent(decodeURIComponent(model))}`, {
      method: 'POST',
      body: 'x',
    });
    expect(answer.status).toBe(expected);
    if (expected === 404) expect(errorOf(answer)).toMatchObject({ extra_details: 'InvalidModelId' });
  });

  it('a model may be named by the GUID of its version or family', async () => {
    const version = await server.parts.registry.version(PASS_THROUGH);
    for (const id of [version!.id, version!.id.toUpperCase(), version!.familyId])
      expect((await server.ask(`/v1/model/start/${id}`, { method: 'POST', body: 'x' })).status, id).toBe(201);
  });

  it.each(['%00', '..%2f..%2fetc', '%5c', '%ff', '%', '%zz'])('an id of odd bytes, %s, is refused', async (id) => {
    for (const path of [`/v1/model/start/${id}`, `/v1/model/results/${id}`]) {
      const { status } = await server.ask(path, { method: path.includes('start') ? 'POST' : 'GET' });
      expect([400, 404], path).toContain(status);
    }
  });

  it('an id that is too long is 414', async () => {
    expect((await server.ask(`/v1/model/results/${'x'.repeat(600)}`)).status).toBe(414);
  });
});

describe('Accept: text/html, as the Gateway sends it', () => {
  it('never gives a page, and never 406', async () => {
    const ping = await server.ask(PING, { headers: GATEWAY });
    expect([ping.status, ping.body.length]).toEqual([200, 0]);
    const runId = (await server.ask(START, { method: 'POST', body: 'x', headers: GATEWAY })).body.toString();
    expect(runId).toMatch(/^api_inference_/);
    const waits = await server.ask(`/v1/model/results/${runId}`, { headers: GATEWAY });
    expect([waits.status, waits.body.length]).toEqual([202, 0]);
    for (const ask of [{ secret: null }, { secret: 'x' }])
      errorOf(await server.ask(PING, { ...ask, headers: GATEWAY }));
    errorOf(await server.ask('/v1/model/results/nothing', { headers: GATEWAY }));
  });

  it('gives the reason in the status line', async () => {
    const { reason } = await server.ask('/v1/model/results/nothing', { headers: GATEWAY });
    expect(reason).toMatch(/^There is no run of this id/);
  });
});

describe('HEAD', () => {
  it('is what GET is, without its body', async () => {
    const runId = (await server.ask(START, { method: 'POST', body: 'x' })).body.toString();
    for (const path of [PING, `/v1/model/results/${runId}`, '/v1/model/results/nothing']) {
      for (const secret of [SECRET, 'wrong', null]) {
        const [get, head] = [await server.ask(path, { secret }), await server.ask(path, { secret, method: 'HEAD' })];
        expect(head.body.length).toBe(0);
        expect([head.status, head.headers['content-type'], head.headers['content-length']], path).toEqual([
          get.status,
          get.headers['content-type'],
          String(get.body.length),
        ]);
      }
    }
  });
});

describe('bodies', () => {
  const head = (...more: string[]) =>
    [`POST ${START} HTTP/1.1`, 'Host: x', `API_AUTH_SECRET: ${SECRET}`, 'Connection: close', ...more, '', ''].join(
      '\r\n',
    );
  const uploads = async () =>
    (await server.parts.db.selectFrom('blob').select('id').where('state', '<>', 'erased').execute()).length;

  it('of 2 GB that are over the limit are refused by their length alone', async () => {
    const answer = await raw(head('Content-Length: 2147483648', 'Expect: 100-continue'));
    expect(answer).toMatch(/^HTTP\/1\.1 413 The body is larger/);
    expect(answer).toContain('"code":"REQUEST_ENTITY_TOO_LARGE"');
  });

  it('that grow over the limit in chunks are refused, and nothing of them stays', async () => {
    const before = await uploads();
    const answer = await server.ask(START, {
      method: 'POST',
      body: randomBytes((1 << 20) + 1),
      headers: { 'transfer-encoding': 'chunked', 'content-length': [] },
    });
    expect(answer.status).toBe(413);
    expect(errorOf(answer)).toMatchObject({ title: 'InvalidInput' });
    expect(await uploads()).toBe(before);
  });

  it('that are cut off make no run', async () => {
    const before = (await server.parts.jobs.statistics()).byState.queued;
    await raw(`${head('Content-Length: 1000')}only this`, true);
    await raw(`${head('Transfer-Encoding: chunked')}5\r\nhello\r\n`, true);
    await raw(`${head('Transfer-Encoding: chunked')}zz\r\nhello\r\n`, true);
    expect((await server.parts.jobs.statistics()).byState.queued).toBe(before);
  });

  it('that come too slowly are 408', async () => {
    const answer = await raw(`${head('Content-Length: 1000')}slow`);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"REQUEST_TIMEOUT"');
  });

  it('in a coding that nobody asked for are 415', async () => {
    const answer = await server.ask(START, { method: 'POST', body: 'x', headers: { 'content-encoding': 'br' } });
    expect(answer.status).toBe(415);
    errorOf(answer);
  });

  it('beyond the places at the gate are told to come back', async () => {
    const gates = [server.context.uploads.enter('one'), server.context.uploads.enter('other')];
    try {
      const answer = await server.ask(START, { method: 'POST', body: 'x' });
      expect(answer.status).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(errorOf(answer)).toMatchObject({ code: 'SERVICE_UNAVAILABLE', title: 'InternalError' });
    } finally {
      for (const leave of gates) leave();
    }
  });

  it('with both lengths at once are refused', async () => {
    expect(await raw(`${head('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });
});

describe('documents', () => {
  it('do not inherit from one another: upstream said RunCancelled for ever after the first', async () => {
    const runId = (await server.ask(START, { method: 'POST', body: 'x' })).body.toString();
    const { id } = (await server.parts.db
      .selectFrom('job')
      .select('id')
      .where('external_id', '=', runId)
      .executeTakeFirst())!;
    await server.client('administrator').jobs.cancel({ job: id });
    const cancelled = await server.ask(`/v1/model/results/${runId}`);
    expect(cancelled.status).toBe(500);
    expect(errorOf(cancelled)).toMatchObject({ title: 'InternalError', extra_details: 'RunCancelled' });
    const head = await server.ask(`/v1/model/results/${runId}`, { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([500, 0]);
    expect(errorOf(await server.ask(PING, { secret: 'x' }))).not.toHaveProperty('extra_details');
    expect(errorOf(await server.ask('/v1/model/results/x'))).toMatchObject({ extra_details: 'InvalidRunId' });
  });
});
