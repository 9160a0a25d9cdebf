import { Readable } from 'node:stream';
import { binary, operation } from '@isocenter/client';
import { Failure } from '@isocenter/volume';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApp } from './app.js';
import { ADMIN_KEY, type FakeContext, fakeContext, SERVICE_KEY } from './fake-context.suite.js';
import { implement } from './implement.js';

const thing = operation({
  method: 'POST',
  path: '/isocenter/v1/things/:thing',
  summary: 'Change a thing',
  tag: 'things',
  permission: 'models.write',
  params: z.object({ thing: z.uuid() }),
  query: z.strictObject({ depth: z.coerce.number().int().max(5).optional() }),
  body: z.strictObject({
    name: z.string().max(8),
    tags: z.record(z.string(), z.number()).optional(),
    rows: z.array(z.object({ x: z.number() })).optional(),
  }),
  answer: z.object({ name: z.string(), at: z.date(), inner: z.object({ shown: z.boolean() }) }),
});

const ID = '0e8a4c1e-7a2b-4c3d-9e5f-1a2b3c4d5e6f';
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

let app: FastifyInstance;
let context: FakeContext;

const defaultHandler = async ({ body }: { readonly body: { readonly name: string } }) => ({
  name: body.name,
  at: new Date(0),
  secret: 'never',
  inner: { shown: true, hidden: 1 },
});

function start(handler: (call: never) => Promise<unknown> = defaultHandler): void {
  context = fakeContext();
  app = createApp(context);
  implement(app, thing, handler as never);
}

afterEach(() => app.close());

const post = (body: unknown, more: { url?: string; key?: string } = {}) =>
  app.inject({
    method: 'POST',
    url: more.url ?? `/isocenter/v1/things/${ID}`,
    headers: bearer(more.key ?? ADMIN_KEY),
    payload: body as object,
  });

describe('an implemented operation', () => {
  it('gives the handler parsed values and answers only what the schema names', async () => {
    start();
    const answer = await post({ name: 'chair' });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ name: 'chair', at: '1970-01-01T00:00:00.000Z', inner: { shown: true } });
  });

  it('answers 401 with a challenge to nobody and to a wrong key, and 403 to a key that may not', async () => {
    start();
    const nobody = await app.inject({ method: 'POST', url: `/isocenter/v1/things/${ID}`, payload: {} });
    expect(nobody.statusCode).toBe(401);
    expect(nobody.headers['www-authenticate']).toBe('Bearer realm="isocenter"');
    const wrong = await post({}, { key: 'iso_wrong' });
    expect(wrong.statusCode).toBe(401);
    expect(wrong.headers['www-authenticate']).toContain('invalid_token');
    expect((await post({}, { key: SERVICE_KEY })).statusCode).toBe(403);
  });

  it('names each field that does not fit, and never a key or value that the client wrote', async () => {
    start();
    const answer = await post({
      name: 'much too long',
      tags: { 'DOE^JOHN': 'x' },
      rows: [{ x: 1 }, { x: 'y' }],
      'ROE^JANE': 1,
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json().fields).toEqual([
      { path: 'body.name', fault: 'must be at most 8 characters' },
      { path: 'body.tags.*', fault: 'must be number' },
      { path: 'body.rows.1.x', fault: 'must be number' },
      { path: 'body', fault: 'has 1 field(s) that are not known here' },
    ]);
    expect(answer.body + context.logged.join('')).not.toMatch(/DOE|ROE|too long/);
  });

  it('says whether it is the path or the query', async () => {
    start();
    expect((await post({}, { url: '/isocenter/v1/things/7' })).json()).toMatchObject({
      status: 400,
      where: 'path.thing',
    });
    expect((await post({}, { url: `/isocenter/v1/things/${ID}?depth=9` })).json()).toMatchObject({
      where: 'query.depth',
    });
  });

  it('answers a Failure by its kind and anything else with no more than the request id', async () => {
    class JobError extends Failure<'ended'> {}
    start(async () => {
      throw new JobError('ended', 'The job has ended', { where: 'job 7', next: 'Retry it.' });
    });
    const known = await post({ name: 'a' });
    expect(known.json()).toMatchObject({
      type: '/problems/jobs/ended',
      status: 409,
      detail: 'The job has ended',
      where: 'job 7',
      next: 'Retry it.',
      instance: known.headers['x-request-id'],
    });
    await app.close();
    start(async () => {
      throw new Error('SELECT * FROM users WHERE name = DOE^JOHN at /home/secret');
    });
    const defect = await post({ name: 'a' });
    expect(defect.statusCode).toBe(500);
    expect(defect.body).not.toMatch(/SELECT|DOE|secret/);
    const log = context.logged.join('');
    expect(log).toContain(defect.json().instance);
    expect(log).not.toMatch(/DOE|SELECT/);
  });

  it('calls an answer that does not fit its schema a defect, without telling the values', async () => {
    start(async () => ({ name: 5, at: 'DOE^JOHN' }));
    const answer = await post({ name: 'a' });
    expect(answer.statusCode).toBe(500);
    expect(answer.body + context.logged.join('')).not.toContain('DOE');
  });
});

const file = operation({
  method: 'GET',
  path: '/isocenter/v1/file',
  summary: 'Bytes',
  tag: 'things',
  permission: 'models.read',
  answer: binary('application/octet-stream'),
});

describe('an answer of bytes', () => {
  let opened: unknown[];
  const startFile = (): void => {
    context = fakeContext();
    app = createApp(context);
    opened = [];
    const bytes = Buffer.from('0123456789');
    implement(app, file, async () => ({
      mediaType: 'application/octet-stream',
      bytes: bytes.length,
      sha256: 'abc',
      fileName: 'é "x".bin',
      open: async (range) => {
        opened.push(range);
        return Readable.from([range === undefined ? bytes : bytes.subarray(range.first, range.last + 1)]);
      },
    }));
  };
  const get = (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    app.inject({ method, url: '/isocenter/v1/file', headers: { ...bearer(SERVICE_KEY), ...headers } });

  it('is sent whole, with its validator and a safe name', async () => {
    startFile();
    const answer = await get();
    expect(answer.body).toBe('0123456789');
    expect(answer.headers).toMatchObject({ etag: '"abc"', 'content-length': '10', 'accept-ranges': 'bytes' });
    expect(answer.headers['content-disposition']).toBe(
      `attachment; filename="_ _x_.bin"; filename*=UTF-8''%C3%A9%20%22x%22.bin`,
    );
  });

  it('is sent in part for one range, and 416 for one that it does not have', async () => {
    startFile();
    const part = await get({ range: 'bytes=2-4' });
    expect([part.statusCode, part.body, part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
    expect((await get({ range: 'bytes=-3' })).body).toBe('789');
    expect((await get({ range: 'bytes=8-' })).body).toBe('89');
    expect((await get({ range: 'bytes=2-4', 'if-range': '"old"' })).statusCode).toBe(200);
    const none = await get({ range: 'bytes=10-' });
    expect([none.statusCode, none.headers['content-range']]).toEqual([416, 'bytes */10']);
  });

  it('is not opened for HEAD or for what the client already has', async () => {
    startFile();
    const head = await get({}, 'HEAD');
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '10', '']);
    expect((await get({ 'if-none-match': 'W/"abc"' })).statusCode).toBe(304);
    expect(opened).toEqual([]);
  });
});

describe('a route', () => {
  it('cannot be registered without saying who may call it', async () => {
    context = fakeContext();
    app = createApp(context);
    expect(() => app.get('/open', async () => 'x')).toThrow(/does not say who may call it/);
  });

  it('stands in the table of routes, its HEAD as well', async () => {
    start();
    app.get('/plain', { config: { access: 'public' } }, async () => 'x');
    expect(app.routesTable.map(({ method, path, permission }) => `${method} ${path} ${permission}`)).toEqual([
      'POST /isocenter/v1/things/:thing models.write',
      'GET /plain public',
      'HEAD /plain public',
    ]);
  });
});
