/** Every key that may read models may export one; however many ask, or only look, few copies lie on the server's disk at a time. */
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type RestServer, restServer } from './rest-server.suite.js';

const PATH = '/isocenter/v1/models/ct-basic/export';
const FEW = 8;

let server: RestServer;
beforeAll(async () => {
  server = await restServer({ slots: 0 });
});
afterAll(() => server.close());

const copies = async () => (await readdir(server.parts.temporaryFolder)).length;

it('who only looks leaves no copy behind', async () => {
  for (let n = 0; n < FEW + 2; n++) {
    expect((await server.request('service', 'HEAD', PATH)).status).toBe(200);
    await vi.waitFor(async () => expect(await copies()).toBe(0));
  }
  const nothing = await server.request('service', 'GET', PATH, { headers: { range: 'bytes=999999999-' } });
  expect(nothing.status).toBe(416);
  await vi.waitFor(async () => expect(await copies()).toBe(0));
});

/** Exports wait until `go`. */
function hold() {
  const { registry } = server.parts;
  const { exportTo } = registry;
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const held = { begun: 0, done: 0, go, end: () => Object.assign(registry, { exportTo }) };
  Object.assign(registry, {
    exportTo: async (...wish: Parameters<typeof exportTo>) => {
      held.begun += 1;
      await gate;
      await exportTo(...wish);
      held.done += 1;
    },
  });
  return held;
}

it('more than a few at once are told to come back, and places are free again afterwards', async () => {
  const held = hold();
  try {
    const asked = Array.from({ length: FEW }, () => server.request('service', 'GET', PATH));
    await vi.waitFor(() => expect(held.begun).toBe(FEW));
    const late = await server.request('service', 'GET', PATH);
    expect(late.status).toBe(503);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    held.go();
    for (const answer of await Promise.all(asked)) {
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    }
    await vi.waitFor(async () => expect(await copies()).toBe(0));
    expect((await server.request('service', 'HEAD', PATH)).status).toBe(200);
  } finally {
    held.end();
  }
});

it('who goes away before the copy is there leaves none', async () => {
  const held = hold();
  try {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`GET ${PATH} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${server.keys.service}\r\n\r\n`);
    await vi.waitFor(() => expect(held.begun).toBe(1));
    socket.destroy();
    await vi.waitFor(() => expect(server.context.drain.inFlight).toBe(0));
    held.go();
    await vi.waitFor(() => expect(held.done).toBe(1));
    await vi.waitFor(async () => expect(await copies()).toBe(0), { timeout: 10_000 });
  } finally {
    held.end();
  }
});
