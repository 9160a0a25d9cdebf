import { connect, type Socket } from 'node:net';
import { binary, operation } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createApp } from './app.js';
import { ADMIN_KEY, type FakeContext, fakeContext, portOf, talk } from './fake-context.suite.js';
import { implement } from './implement.js';
import type { HttpLimits } from './limits.js';

let app: FastifyInstance;
let context: FakeContext;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

async function start(limits: Partial<HttpLimits>): Promise<number> {
  context = fakeContext({ limits });
  app = createApp(context);
  app.get('/health/live', { config: { access: 'public', always: true } }, async () => 'live');
  app.get('/work', { config: { access: 'public' } }, async () => 'worked');
  await app.listen({ port: 0, host: '127.0.0.1' });
  return portOf(app);
}

async function idle(port: number, count: number): Promise<void> {
  await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<void>((resolve) => {
          const socket = connect(port, '127.0.0.1', () => resolve());
          socket.on('error', () => resolve());
          sockets.push(socket);
        }),
    ),
  );
}

const get = (port: number, path: string) =>
  talk(port, [`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`]);

describe('idle connections', () => {
  it('a thousand of them cost little, and work goes on', async () => {
    const port = await start({});
    const before = process.memoryUsage().rss;
    await idle(port, 1_000);
    expect((await get(port, '/work')).status).toBe(200);
    // Both ends live in this process.
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('above the limit work is told to come back, and health still answers', async () => {
    const port = await start({ connections: 20, reservedConnections: 10 });
    await idle(port, 22);
    const refused = await get(port, '/work');
    expect(refused.status).toBe(503);
    expect(refused.text.toLowerCase()).toContain('retry-after: 5');
    expect(refused.text).toContain('too-many-connections');
    expect((await get(port, '/health/live')).status).toBe(200);
    for (const socket of sockets.splice(0)) socket.destroy();
    await vi.waitFor(async () => expect((await get(port, '/work')).status).toBe(200));
  });

  it('that never send a request are closed', async () => {
    const port = await start({ headersMs: 300 });
    await idle(port, 3);
    const closed = sockets.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)));
    await Promise.all(closed);
  });
});

describe('uploads', () => {
  it('beyond the gate are told to come back, and the others end well in flat memory', async () => {
    const [gate, senders, size] = [4, 12, 16 * 1024 * 1024];
    const port = await start({ uploads: gate });
    await app.close();
    context = fakeContext({ limits: { uploads: gate } });
    app = createApp(context);
    let most = 0;
    implement(
      app,
      operation({
        method: 'POST',
        path: '/isocenter/v1/upload',
        summary: 'Takes bytes',
        tag: 'test',
        permission: 'models.write',
        body: binary('application/octet-stream'),
        answer: z.object({ bytes: z.number() }),
      }),
      async ({ body }) => {
        let bytes = 0;
        most = Math.max(most, context.uploads.inFlight);
        for await (const chunk of body.stream) {
          bytes += chunk.length;
          // Others get their turn, so that all of them are under way at once.
          await new Promise(setImmediate);
        }
        return { bytes };
      },
    );
    await app.listen({ port, host: '127.0.0.1' });
    const chunk = Buffer.alloc(256 * 1024);
    const body = function* () {
      yield `POST /isocenter/v1/upload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\nconnection: close\r\ncontent-type: application/octet-stream\r\ncontent-length: ${size}\r\n\r\n`;
      for (let sent = 0; sent < size; sent += chunk.length) yield chunk;
    };
    const before = process.memoryUsage().rss;
    const answers = await Promise.all(Array.from({ length: senders }, () => talk(port, body())));
    const statuses = answers.map(({ status }) => status);
    expect(most).toBe(gate);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(gate);
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(0);
    expect(
      statuses.every((status) => status === 200 || status === 503),
      String(statuses),
    ).toBe(true);
    expect(context.uploads.inFlight).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });
});
