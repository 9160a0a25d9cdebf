import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { events, operation } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createApp } from './app.js';
import { ADMIN_KEY, admin, type FakeContext, fakeContext, portOf } from './fake-context.suite.js';
import { implement } from './implement.js';

let app: FastifyInstance;
let context: FakeContext;
let make: (signal: AbortSignal) => AsyncIterable<{ readonly n: number; readonly secret?: string }>;

beforeEach(async () => {
  context = fakeContext({ limits: { heartbeatMs: 40 } });
  app = createApp(context);
  implement(
    app,
    operation({
      method: 'GET',
      path: '/isocenter/v1/numbers',
      summary: 'Numbers',
      tag: 'test',
      permission: 'jobs.read',
      answer: events(z.object({ n: z.number() })),
    }),
    async ({ signal }) => make(signal),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
});

afterEach(() => app.close());

interface Stream {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
  text(): string;
  readonly ended: Promise<void>;
}

function open(headers: Record<string, string> = {}): Promise<Stream> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: portOf(app),
        path: '/isocenter/v1/numbers',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, ...headers },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('error', () => {});
        const ended = new Promise<void>((done) => response.once('close', done));
        resolve({ request: sent, response, text: () => text, ended });
      },
    );
    sent.on('error', () => {});
    sent.end();
  });
}

/** Waits for ever, unless told. */
const never = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('an event stream', () => {
  it('sends each event as JSON of its schema, and ends with its source, saying so', async () => {
    make = async function* () {
      yield { n: 1, secret: 'x' };
      yield { n: 2 };
    };
    const stream = await open({ 'last-event-id': 'anything \u00e9' });
    await stream.ended;
    expect(stream.response.headers['content-type']).toContain('text/event-stream');
    expect(stream.response.headers['x-accel-buffering']).toBe('no');
    expect(stream.text()).toBe(
      'retry: 2000\n: isocenter\n\ndata: {"n":1}\n\ndata: {"n":2}\n\nevent: end\ndata: {}\n\n',
    );
  });

  it('sends its headers at once and a comment in quiet times', async () => {
    make = (signal) => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          await never(signal);
          return { done: true, value: undefined };
        },
      }),
    });
    const stream = await open();
    await vi.waitFor(() => expect(stream.text().match(/: still here/g)?.length).toBeGreaterThan(2));
    stream.request.destroy();
  });

  it('tells the source when the client goes', async () => {
    let ended = false;
    make = async function* (signal) {
      yield { n: 1 };
      await never(signal);
      ended = true;
    };
    const stream = await open();
    await vi.waitFor(() => expect(stream.text()).toContain('"n":1'));
    stream.request.destroy();
    await vi.waitFor(() => expect(ended).toBe(true));
    await vi.waitFor(() => expect(context.drain.inFlight).toBe(0));
  });

  it('ends when the server goes down, also when its source hangs', async () => {
    make = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });
    const stream = await open();
    context.drain.start();
    await stream.ended;
    expect(stream.response.complete).toBe(true);
    // A client that reads no `end` comes back, to a server that is up.
    expect(stream.text()).not.toContain('event: end');
  });

  it('tells an error as its last event, without its inside', async () => {
    make = async function* () {
      yield { n: 1 };
      throw new Error('SELECT secret');
    };
    const stream = await open();
    await stream.ended;
    expect(stream.text()).toMatch(/event: error\ndata: \{.*"status":500/);
    expect(stream.text() + context.logged.join('')).not.toContain('SELECT');
  });

  it.each([
    ['was revoked', () => context.fakeAccounts.keys.delete(ADMIN_KEY), 401],
    ['may less than before', () => context.fakeAccounts.keys.set(ADMIN_KEY, { ...admin, role: 'service' }), 403],
  ])(
    'tells nothing more once the key %s, neither in quiet times nor with the next event',
    async (_, change, status) => {
      let next = (): void => {};
      make = async function* () {
        yield { n: 1 };
        await new Promise<void>((resolve) => {
          next = resolve;
        });
        yield { n: 2 };
      };
      const eventful = await open();
      await vi.waitFor(() => expect(eventful.text()).toContain('"n":1'));
      const goOn = next;
      const quiet = await open();
      await vi.waitFor(() => expect(quiet.text()).toContain('"n":1'));
      change();
      goOn();
      await Promise.all([eventful.ended, quiet.ended]);
      for (const stream of [eventful, quiet]) {
        expect(stream.text()).toMatch(new RegExp(`event: error\\ndata: \\{.*"status":${status}`));
        expect(stream.text()).not.toContain('"n":2');
      }
    },
  );

  it('takes no more from its source than the client reads', async () => {
    let made = 0;
    make = async function* (signal) {
      while (!signal.aborted) {
        made += 1;
        yield { n: made, pad: 'x'.repeat(1) } as { n: number };
      }
    };
    const stream = await open();
    stream.response.pause();
    let before = -1;
    // Sockets hold some hundred kilobytes; then it stands still.
    await vi.waitFor(
      () => {
        const now = made;
        const still = now === before;
        before = now;
        expect(still).toBe(true);
      },
      { timeout: 20_000, interval: 100 },
    );
    stream.request.destroy();
    await vi.waitFor(() => expect(context.drain.inFlight).toBe(0));
  });

  it('is not started by HEAD', async () => {
    let started = false;
    make = async function* () {
      started = true;
      yield { n: 1 };
    };
    const answer = await app.inject({ method: 'HEAD', url: '/isocenter/v1/numbers' });
    expect(answer.statusCode).toBe(405);
    expect(started).toBe(false);
  });
});
