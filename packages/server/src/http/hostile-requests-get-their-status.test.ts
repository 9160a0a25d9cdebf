import { gzipSync } from 'node:zlib';
import { binary, operation } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApp } from './app.js';
import { ADMIN_KEY, type FakeContext, fakeContext, portOf, talk } from './fake-context.suite.js';
import { implement } from './implement.js';

const KEY = `authorization: Bearer ${ADMIN_KEY}`;
const LIMIT = 1024 * 1024;

let app: FastifyInstance;
let context: FakeContext;
let port: number;
/** Bytes that reached the upload's handler. */
let received = 0;

beforeAll(async () => {
  context = fakeContext({
    limits: {
      slowGraceMs: 300,
      bodyMs: 1_000,
      headersMs: 600,
      lingerMs: 3_000,
      lingerIdleMs: 500,
      jsonBytes: 64 * 1024,
    },
  });
  app = createApp(context);
  implement(
    app,
    operation({
      method: 'POST',
      path: '/isocenter/v1/json/:id',
      summary: 'Takes JSON',
      tag: 'test',
      permission: 'models.write',
      params: z.object({ id: z.string().regex(/^[a-z0-9-]+$/) }),
      body: z.looseObject({}),
      answer: z.object({ keys: z.number() }),
    }),
    async ({ body }) => ({ keys: Object.keys(body).length }),
  );
  const swallow = async ({ body }: { readonly body: { readonly stream: AsyncIterable<Uint8Array> } }) => {
    received = 0;
    for await (const chunk of body.stream) received += chunk.length;
    return { bytes: received };
  };
  const upload = (path: '/isocenter/v1/upload' | '/isocenter/v1/zipped') =>
    operation({
      method: 'POST',
      path,
      summary: 'Takes bytes',
      tag: 'test',
      permission: 'models.write',
      body: binary('application/octet-stream'),
      answer: z.object({ bytes: z.number() }),
    });
  implement(app, upload('/isocenter/v1/upload'), swallow, { maximumBytes: LIMIT });
  implement(app, upload('/isocenter/v1/zipped'), swallow, { maximumBytes: LIMIT, gzip: true });
  app.get('/isocenter/v1/open', { config: { access: 'public' } }, async () => 'open');
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = portOf(app);
});

afterAll(() => app.close());

const head = (line: string, ...headers: string[]): string => `${[line, 'host: x', ...headers].join('\r\n')}\r\n\r\n`;
const POST_JSON = ['content-type: application/json', KEY, 'connection: close'];
const POST_BYTES = ['content-type: application/octet-stream', KEY, 'connection: close'];

function postJson(body: string | Uint8Array, ...headers: string[]) {
  const bytes = Buffer.from(body);
  return talk(port, [
    head('POST /isocenter/v1/json/a HTTP/1.1', ...POST_JSON, `content-length: ${bytes.length}`, ...headers),
    bytes,
  ]);
}

describe('lengths', () => {
  it('refuses both a length and chunks', async () => {
    const answer = await talk(port, [
      head('POST /isocenter/v1/upload HTTP/1.1', ...POST_BYTES, 'content-length: 5', 'transfer-encoding: chunked'),
      '0\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n',
    ]);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('application/problem+json');
    expect(answer.text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  });

  it.each([
    ['two different lengths', 'content-length: 5\r\ncontent-length: 6'],
    ['a length with a sign', 'content-length: +5'],
    ['a length in hexadecimal', 'content-length: 0x5'],
    ['a length with a space before the colon', 'content-length : 5'],
    ['a coding that is no coding', 'transfer-encoding: xchunked'],
    ['chunked twice', 'transfer-encoding: chunked, chunked'],
    ['a coding hidden by a tab', 'transfer-encoding:\tchunked\r\ntransfer-encoding: identity'],
    ['a folded header', 'x-a: 1\r\n transfer-encoding: chunked'],
    ['a bare line feed', 'x-a: 1\ntransfer-encoding: chunked'],
    ['a NUL in a header', 'x-a: \0'],
  ])('refuses %s', async (_name, lines) => {
    const answer = await talk(port, [head('POST /isocenter/v1/upload HTTP/1.1', ...POST_BYTES, lines), 'abcde']);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.end).toBe('closed');
  });

  it('refuses a declared length above the limit before a byte of it is read', async () => {
    const answer = await talk(
      port,
      [head('POST /isocenter/v1/upload HTTP/1.1', ...POST_BYTES, `content-length: ${4 * 1024 ** 3}`), 'ten bytes.'],
      /too-large/,
    );
    expect(answer.status).toBe(413);
  });

  it('ends a body that stops after ten bytes, with 408', async () => {
    const answer = await talk(port, [
      head('POST /isocenter/v1/upload HTTP/1.1', ...POST_BYTES, 'content-length: 1000000'),
      'ten bytes.',
    ]);
    expect(answer.status).toBe(408);
    expect(answer.text).toContain('slow-body');
    expect(context.uploads.inFlight).toBe(0);
  });

  it('ends a JSON body that does not come, with 408', async () => {
    const answer = await talk(port, [
      head('POST /isocenter/v1/json/a HTTP/1.1', ...POST_JSON, 'content-length: 100'),
      '{',
    ]);
    expect(answer.status).toBe(408);
  });

  it('ends headers that do not come, with 408', async () => {
    const answer = await talk(port, ['GET / HTTP/1.1\r\nhost: x\r\nx-slow: ']);
    expect(answer.status).toBe(408);
  });

  it('takes a hundred thousand chunks of one byte', async () => {
    const chunk = Buffer.from('1\r\nx\r\n'.repeat(1_000));
    const parts = [head('POST /isocenter/v1/upload HTTP/1.1', ...POST_BYTES, 'transfer-encoding: chunked')] as (
      | string
      | Uint8Array
    )[];
    for (let i = 0; i < 100; i += 1) parts.push(chunk);
    parts.push('0\r\n\r\n');
    const answer = await talk(port, parts);
    expect(answer.status).toBe(200);
    expect(received).toBe(100_000);
  });

  it('refuses chunked bodies above the limit, and the client sees it', async () => {
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')]);
    const parts: (string | Uint8Array)[] = [
      head('POST /isocenter/v1/upload HTTP/1.1', ...POST_BYTES.slice(0, 2), 'transfer-encoding: chunked'),
    ];
    for (let i = 0; i < 100; i += 1) parts.push(chunk);
    parts.push('0\r\n\r\n');
    const answer = await talk(port, parts, /too-large/);
    expect(answer.status).toBe(413);
    expect(answer.end).toBe('closed');
  });

  it('refuses endless chunk extensions', async () => {
    const answer = await talk(port, [
      head('POST /isocenter/v1/upload HTTP/1.1', ...POST_BYTES, 'transfer-encoding: chunked'),
      `5;${'a'.repeat(20_000)}\r\nabcde\r\n0\r\n\r\n`,
    ]);
    expect(answer.status).toBe(413);
  });
});

describe('headers', () => {
  it('refuses more bytes of headers than the limit', async () => {
    const answer = await talk(port, [head('GET / HTTP/1.1', `x-long: ${'a'.repeat(20_000)}`)]);
    expect(answer.status).toBe(431);
  });

  it('refuses a flood of small headers', async () => {
    const flood = Array.from({ length: 100_000 }, (_, i) => `x-${i}: 1`);
    const answer = await talk(port, [head('GET / HTTP/1.1', ...flood)]);
    expect(answer.status).toBe(431);
  });

  it('ignores a method override', async () => {
    const answer = await talk(port, [
      head('GET /isocenter/v1/open HTTP/1.1', 'x-http-method-override: DELETE', 'connection: close'),
    ]);
    expect(answer.status).toBe(200);
  });

  it('gives no page of another site access', async () => {
    const answer = await app.inject({ url: '/isocenter/v1/open', headers: { origin: 'https://evil.example' } });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('answers an unknown expectation with 417', async () => {
    const answer = await talk(port, [
      head('POST /isocenter/v1/upload HTTP/1.1', ...POST_BYTES, 'expect: miracle', 'content-length: 5'),
      'abcde',
    ]);
    expect(answer.status).toBe(417);
  });

  it('asks for the body only when it wants it', async () => {
    const expecting = (key: string) =>
      talk(
        port,
        [
          head(
            'POST /isocenter/v1/upload HTTP/1.1',
            'content-type: application/octet-stream',
            key,
            'expect: 100-continue',
            'content-length: 5',
          ),
        ],
        /^HTTP\/1\.1 100|\}$/,
      );
    expect((await expecting(KEY)).status).toBe(100);
    const refused = await expecting('authorization: Bearer iso_wrong');
    expect(refused.status).toBe(401);
    expect(refused.text.toLowerCase()).toContain('connection: close');
  });
});

describe('addresses', () => {
  it.each([
    '/isocenter/v1/json/..%2f..%2fetc',
    '/isocenter/v1/json/%2e%2e/x',
    '/isocenter/v1/../../etc/passwd',
    '/isocenter/v1/json/%252e%252e',
    '/isocenter/v1/json/a%00b',
    '/isocenter/v1/json/..\\..\\x',
    '/isocenter/v1/json/%',
    '/isocenter/v1/json/%zz',
  ])('refuses %s', async (path) => {
    const answer = await talk(port, [head(`POST ${path} HTTP/1.1`, ...POST_JSON, 'content-length: 2'), '{}']);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.text).toContain('problem+json');
  });

  it('refuses an id that its schema does not know, whatever it is made of', async () => {
    for (const id of ["'%20OR%201=1--", 'a%2fb', '%F0%9F%92%A9', 'a%0d%0aset-cookie:x'])
      expect(
        (
          await app.inject({
            method: 'POST',
            url: `/isocenter/v1/json/${id}`,
            headers: { authorization: `Bearer ${ADMIN_KEY}` },
            payload: {},
          })
        ).statusCode,
        id,
      ).toBe(400);
  });

  it('refuses an overlong address and an overlong id', async () => {
    const long = (n: number) => talk(port, [head(`GET /${'a'.repeat(n)} HTTP/1.1`, 'connection: close')]);
    expect((await long(5_000)).status).toBe(414);
    expect((await long(20_000)).status).toBe(431);
    expect((await app.inject({ method: 'POST', url: `/isocenter/v1/json/${'a'.repeat(600)}` })).statusCode).toBe(414);
  });

  it('says 405 with the methods there are, and lists them for OPTIONS', async () => {
    const wrong = await app.inject({ method: 'DELETE', url: '/isocenter/v1/json/a' });
    expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, 'POST, OPTIONS']);
    const options = await app.inject({ method: 'OPTIONS', url: '/isocenter/v1/open' });
    expect([options.statusCode, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect((await app.inject({ url: '/nothing' })).statusCode).toBe(404);
  });

  it.each(['TRACE', 'CONNECT', 'PROPFIND', 'NONSENSE'])('has no %s', async (method) => {
    const answer = await talk(port, [head(`${method} /isocenter/v1/open HTTP/1.1`, 'connection: close')]);
    expect([400, 404, 405, 501, 0], answer.text).toContain(answer.status);
    expect(answer.text).not.toContain('200 OK');
  });
});

describe('JSON', () => {
  it.each([
    ['no JSON', '{"a":', 'not-json'],
    ['bad UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'not-json'],
    ['a key twice', '{"a":1,"b":{"a":1},"a":2}', 'repeated-key'],
    ['a key twice, once with an escape', '{"a":1,"\\u0061":2}', 'repeated-key'],
    ['__proto__', '{"__proto__":{"admin":true}}', 'forbidden-key'],
    ['__proto__ with an escape', '{"a":{"\\u005f_proto__":1}}', 'forbidden-key'],
    ['constructor', '{"constructor":{"prototype":{}}}', 'forbidden-key'],
    ['nesting', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 'too-deep'],
    ['nesting of objects', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`, 'too-deep'],
    ['a list where an object belongs', '[]', 'validation'],
  ])('refuses %s', async (_name, body, kind) => {
    const answer = await postJson(body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(`"kind":"${kind}"`);
  });

  it('takes strings that look like structure', async () => {
    expect((await postJson('{"a":"}{[,\\"a\\":1","b":["x","a"]}')).status).toBe(200);
  });

  it('refuses more than the limit, with and without a declared length', async () => {
    expect((await postJson(`{"a":"${'x'.repeat(70_000)}"}`)).status).toBe(413);
    const chunked = await talk(
      port,
      [
        head('POST /isocenter/v1/json/a HTTP/1.1', ...POST_JSON, 'transfer-encoding: chunked'),
        `11170\r\n${'x'.repeat(0x11170)}\r\n0\r\n\r\n`,
      ],
      /too-large/,
    );
    expect(chunked.status).toBe(413);
  });

  it('refuses other types', async () => {
    const answer = await talk(port, [
      head(
        'POST /isocenter/v1/json/a HTTP/1.1',
        'content-type: text/plain',
        KEY,
        'content-length: 2',
        'connection: close',
      ),
      '{}',
    ]);
    expect(answer.status).toBe(415);
    const none = await talk(port, [
      head('POST /isocenter/v1/json/a HTTP/1.1', KEY, 'content-length: 2', 'connection: close'),
      '{}',
    ]);
    expect(none.status).toBe(415);
  });
});

describe('codings', () => {
  const zipped = (path: string, body: Uint8Array, coding = 'gzip') =>
    talk(port, [
      head(`POST ${path} HTTP/1.1`, ...POST_BYTES, `content-encoding: ${coding}`, `content-length: ${body.length}`),
      body,
    ]);

  it('are refused where no route asked for them', async () => {
    expect((await zipped('/isocenter/v1/upload', gzipSync('x'))).status).toBe(415);
    expect((await zipped('/isocenter/v1/zipped', gzipSync('x'), 'br')).status).toBe(415);
    expect((await zipped('/isocenter/v1/zipped', gzipSync('x'), 'gzip, gzip')).status).toBe(415);
  });

  it('are undone where a route takes them, under the limit of what comes out', async () => {
    expect((await zipped('/isocenter/v1/zipped', gzipSync(Buffer.alloc(500_000)))).status).toBe(200);
    expect(received).toBe(500_000);
    const bomb = gzipSync(Buffer.alloc(256 * LIMIT));
    expect(bomb.length).toBeLessThan(LIMIT);
    const before = process.memoryUsage().rss;
    expect((await zipped('/isocenter/v1/zipped', bomb)).status).toBe(413);
    expect(received).toBeLessThanOrEqual(LIMIT);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  it('that are damaged or cut off are refused', async () => {
    const whole = gzipSync(Buffer.from('some text that is long enough to be cut'));
    expect((await zipped('/isocenter/v1/zipped', Buffer.from('not gzip'))).status).toBe(400);
    expect((await zipped('/isocenter/v1/zipped', whole.subarray(0, whole.length - 9))).status).toBe(400);
  });
});

describe('connections', () => {
  it('answer pipelined requests in their order', async () => {
    const one = head('GET /isocenter/v1/open HTTP/1.1');
    const answer = await talk(port, [one, one, head('GET /nothing HTTP/1.1', 'connection: close')]);
    expect(answer.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
  });

  it('a refused upload can be sent to its end, and the connection serves the next request', async () => {
    const body = Buffer.alloc(512 * 1024);
    const answer = await talk(port, [
      head(
        'POST /isocenter/v1/upload HTTP/1.1',
        'content-type: application/octet-stream',
        `content-length: ${body.length}`,
      ),
      body,
      head('GET /isocenter/v1/open HTTP/1.1', 'connection: close'),
    ]);
    expect(answer.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
  });

  it('a client that goes on sending after the refusal is cut off in the end', async () => {
    const endless = async function* () {
      yield head(
        'POST /isocenter/v1/upload HTTP/1.1',
        'content-type: application/octet-stream',
        'content-length: 99999999999',
      );
      for (let i = 0; i < 5; i += 1) yield Buffer.alloc(1000);
    };
    const answer = await talk(port, endless());
    expect(answer.status).toBe(401);
  });
});
