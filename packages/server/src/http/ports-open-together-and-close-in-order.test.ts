import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApp } from './app.js';
import { type FakeContext, fakeContext } from './fake-context.suite.js';
import { knownHosts, type Listening, listen } from './listen.js';

let context: FakeContext;
let listening: Listening | undefined;
const others: { close(): unknown }[] = [];

afterEach(async () => {
  await listening?.stop(1_000);
  listening = undefined;
  for (const other of others.splice(0)) other.close();
});

function appWith(path: string, work: () => Promise<string> = async () => path): FastifyInstance {
  const app = createApp(context);
  app.get(path, { config: { access: 'public' } }, work);
  return app;
}

const main = (app: FastifyInstance, more: Partial<{ host: string; port: number }> = {}) => ({
  name: 'main',
  app,
  host: '127.0.0.1',
  port: 0,
  ...more,
});

async function takenPort(): Promise<number> {
  const server = createServer();
  others.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

describe('listening', () => {
  it('opens several ports of one context, each with its own routes only', async () => {
    context = fakeContext();
    listening = await listen(context, [main(appWith('/a')), { ...main(appWith('/b')), name: 'innereye' }]);
    const [first, second] = listening.doors;
    expect(await (await fetch(`${first!.url}/a`)).text()).toBe('/a');
    expect((await fetch(`${second!.url}/a`)).status).toBe(404);
    expect(second!.name).toBe('innereye');
  });

  it('says which port is taken and what to do, and leaves none open', async () => {
    context = fakeContext();
    const app = appWith('/a');
    const port = await takenPort();
    await expect(listen(context, [main(app), main(appWith('/b'), { port })])).rejects.toMatchObject({
      kind: 'port-taken',
      where: expect.stringContaining(String(port)),
      next: expect.stringContaining('--port'),
    });
    expect(app.server.listening).toBe(false);
  });

  it('says that an address is not of this machine', async () => {
    context = fakeContext();
    context.fakeAccounts.setupToken = undefined;
    await expect(listen(context, [main(appWith('/a'), { host: '192.0.2.77' })])).rejects.toMatchObject({
      kind: 'bad-address',
    });
  });

  it('refuses to be reached from elsewhere while nobody can sign in', async () => {
    context = fakeContext();
    for (const host of ['0.0.0.0', '::', '']) {
      const app = appWith('/a');
      await expect(listen(context, [main(appWith('/b')), main(app, { host })])).rejects.toMatchObject({
        kind: 'no-accounts',
      });
      expect(app.server.listening).toBe(false);
    }
    context.fakeAccounts.setupToken = undefined;
    listening = await listen(context, [main(appWith('/a'), { host: '0.0.0.0' })]);
    expect(listening.doors[0]!.url).toContain('localhost');
  });
});

describe('stopping', () => {
  it('answers what was begun, takes nothing new, and closes idle connections', async () => {
    context = fakeContext();
    let finish: (text: string) => void = () => {};
    const begun = vi.fn();
    const app = appWith('/slow', () => {
      begun();
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
    const open = await listen(context, [main(app)]);
    const answer = fetch(`${open.doors[0]!.url}/slow`);
    await vi.waitFor(() => expect(begun).toHaveBeenCalled());
    const stopped = open.stop(10_000);
    await expect(fetch(`${open.doors[0]!.url}/slow`)).rejects.toThrow();
    finish('done');
    expect(await (await answer).text()).toBe('done');
    expect(await stopped).toBe(0);
  });

  it('gives notice first: not ready, still answering, each connection for its last time', async () => {
    context = fakeContext();
    const open = await listen(context, [main(appWith('/a'))]);
    const stopped = open.stop(1_000, 2_000);
    expect(context.drain.draining).toBe(true);
    const answer = await fetch(`${open.doors[0]!.url}/a`);
    expect([await answer.text(), answer.headers.get('connection')]).toEqual(['/a', 'close']);
    expect(await stopped).toBe(0);
    await expect(fetch(`${open.doors[0]!.url}/a`)).rejects.toThrow();
  });

  it('cuts what does not end in time', async () => {
    context = fakeContext();
    const begun = vi.fn();
    const app = appWith('/hangs', () => {
      begun();
      return new Promise(() => {});
    });
    const open = await listen(context, [main(app)]);
    const answer = fetch(`${open.doors[0]!.url}/hangs`).catch((error: unknown) => error);
    await vi.waitFor(() => expect(begun).toHaveBeenCalled());
    expect(await open.stop(50)).toBe(1);
    expect(await answer).toBeInstanceOf(Error);
  });
});

describe('the names of a server', () => {
  it('are known only where nobody else can reach it', () => {
    const only = { hosts: ['127.0.0.1'], trustedProxies: [] };
    expect(knownHosts(only)).toEqual(['localhost', '127.0.0.1', '[::1]']);
    expect(knownHosts({ ...only, publicUrl: 'http://iso.example:8042/' })).toContain('iso.example');
    expect(knownHosts({ ...only, hosts: ['127.0.0.1', '0.0.0.0'] })).toBeUndefined();
    expect(knownHosts({ ...only, trustedProxies: ['127.0.0.1'] })).toBeUndefined();
  });
});
