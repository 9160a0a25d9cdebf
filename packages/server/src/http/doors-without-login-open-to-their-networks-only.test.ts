import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from './app.js';
import type { HttpSettings } from './context.js';
import { ADMIN_KEY, fakeContext, SERVICE_KEY } from './fake-context.suite.js';

let app: FastifyInstance;

function start(settings: Partial<HttpSettings>): void {
  app = createApp(fakeContext({ settings }));
  const access = {
    permission: 'jobs.create',
    door: 'innereye',
    key: (request: { readonly headers: Readonly<Record<string, unknown>> }) =>
      request.headers.api_auth_secret as string | undefined,
  } as const;
  app.get('/v1/model', { config: { access } }, async (request) => request.actor);
  app.get('/where', { config: { access: 'public' } }, async (request) => ({ ip: request.ip, id: request.id }));
}

afterEach(() => app.close());

const get = (remoteAddress: string, headers: Record<string, string> = {}) =>
  app.inject({ url: '/v1/model', remoteAddress, headers });

describe('a door without login', () => {
  it('is closed until networks are named, and then open to those', async () => {
    start({});
    expect((await get('127.0.0.1')).statusCode).toBe(401);
    await app.close();
    start({ networks: { innereye: ['127.0.0.0/8', '10.1.0.0/16'], other: ['0.0.0.0/0'] } });
    const inside = await get('10.1.2.3');
    expect(inside.json()).toEqual({
      kind: 'protocol',
      id: 'innereye',
      name: 'innereye',
      role: 'service',
      scopes: ['jobs.create'],
    });
    expect((await get('::ffff:10.1.2.3')).statusCode).toBe(200);
    expect((await get('10.2.0.1')).statusCode).toBe(401);
    expect((await get('::1')).statusCode).toBe(401);
  });

  it('takes a key in the header of its protocol from anywhere, and no wrong one from inside', async () => {
    start({ networks: { innereye: ['10.1.0.0/16'] } });
    expect((await get('192.0.2.1', { api_auth_secret: SERVICE_KEY })).json()).toMatchObject({ id: 'k1' });
    expect((await get('192.0.2.1', { authorization: `Bearer ${ADMIN_KEY}` })).json()).toMatchObject({ id: 'a1' });
    expect((await get('10.1.2.3', { api_auth_secret: 'iso_wrong' })).statusCode).toBe(401);
  });

  it('is not opened by a proxy that nobody named, nor by what clients say about themselves', async () => {
    start({ networks: { innereye: ['127.0.0.0/8'] } });
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])
      expect((await get('127.0.0.1', { [name]: '192.0.2.1' })).statusCode, name).toBe(401);
    expect((await get('192.0.2.1', { 'x-forwarded-for': '127.0.0.1' })).statusCode).toBe(401);
  });

  it('takes no writes that a web page of somebody else makes a browser inside send', async () => {
    start({ networks: { innereye: ['10.1.0.0/16'] } });
    app.post(
      '/v1/images',
      { config: { access: { permission: 'jobs.create', door: 'innereye' } } },
      async () => 'taken',
    );
    const post = (headers: Record<string, string>) =>
      app.inject({ method: 'POST', url: '/v1/images', remoteAddress: '10.1.2.3', headers });
    expect((await post({ 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
    expect((await post({ origin: 'https://evil.example' })).statusCode).toBe(403);
    expect((await post({ origin: 'null' })).statusCode).toBe(403);
    // A page whose name was pointed at our address (DNS rebinding) is of our origin, as far as its browser knows.
    const rebound = { host: 'evil.example:8042', origin: 'http://evil.example:8042' };
    expect((await post(rebound)).statusCode).toBe(403);
    expect((await post({ ...rebound, 'sec-fetch-site': 'same-origin' })).statusCode).toBe(403);
    for (const own of ['10.9.9.9:8042', '[::1]:8042', 'localhost'])
      expect((await post({ host: own, origin: `http://${own}` })).statusCode, own).toBe(200);
    // The protocol's own clients say nothing about pages.
    expect((await post({})).statusCode).toBe(200);
  });

  it('sees through a trusted proxy', async () => {
    start({ networks: { innereye: ['10.1.0.0/16'] }, trustedProxies: ['127.0.0.1'] });
    expect((await get('127.0.0.1', { 'x-forwarded-for': '10.1.2.3' })).statusCode).toBe(200);
    expect((await get('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' })).statusCode).toBe(401);
    // The nearest address that is no trusted proxy counts, not what the client wrote before it.
    expect((await get('127.0.0.1', { 'x-forwarded-for': '10.1.2.3, 192.0.2.1' })).statusCode).toBe(401);
  });
});

describe('what a proxy tells', () => {
  const where = (remoteAddress: string) =>
    app.inject({
      url: '/where',
      remoteAddress,
      headers: { 'x-forwarded-for': '192.0.2.9', 'x-request-id': 'proxy-given-id-1' },
    });

  it('is believed from a named proxy only', async () => {
    start({ trustedProxies: ['10.0.0.0/8'] });
    expect((await where('10.0.0.1')).json()).toEqual({ ip: '192.0.2.9', id: 'proxy-given-id-1' });
    const stranger = await where('192.0.2.1');
    expect(stranger.json().ip).toBe('192.0.2.1');
    expect(stranger.json().id).not.toBe('proxy-given-id-1');
    expect(stranger.headers['x-request-id']).toBe(stranger.json().id);
  });
});

describe('the name in Host', () => {
  it('must be one of ours where our names are known', async () => {
    start({ hosts: ['localhost', '127.0.0.1', '[::1]'] });
    const get = (host: string) => app.inject({ url: '/where', headers: { host } });
    for (const host of ['localhost:8042', '127.0.0.1', '[::1]:8042', 'LOCALHOST'])
      expect((await get(host)).statusCode, host).toBe(200);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8042'])
      expect((await get(host)).statusCode, host).toBe(421);
  });
});

describe('pages of other origins', () => {
  it('may call with a key when their origin is named, and never with a cookie', async () => {
    start({ corsOrigins: ['https://viewer.example'] });
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/v1/model',
      headers: { origin: 'https://viewer.example', 'access-control-request-method': 'GET' },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('https://viewer.example');
    expect(preflight.headers).not.toHaveProperty('access-control-allow-credentials');
    const other = await app.inject({ url: '/where', headers: { origin: 'https://evil.example' } });
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
  });
});
