/** The client against a server that says given bytes in given order and then breaks the connection, or not. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from './create-client.js';
import { serverSentEvents } from './server-sent-events.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server | undefined;
let asked: IncomingMessage[] = [];

/** Answers the n-th request with the n-th answer, later ones with the last. */
async function serve(...answers: Answer[]): Promise<string> {
  asked = [];
  server = createServer((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const job = (state: string, fraction: number) => ({
  id: '1',
  kind: 'segment',
  state,
  priority: 0,
  protocol: 'rest',
  requestedBy: { kind: 'key', id: 'k', name: 'k' },
  progress: { step: 'model', fraction },
  attempts: 1,
  maxAttempts: 3,
  cancelRequested: false,
  createdAt: '2026-11-22T09:00:00.000Z',
});
const event = (state: string, fraction: number) => `data: ${JSON.stringify(job(state, fraction))}\n\n`;

const stream =
  (text: string, then: 'end' | 'break' | 'stay'): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => {
      if (then === 'break') response.destroy();
      else if (then === 'end') response.end();
    });
  };
const problem =
  (status: number, kind: string, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
    response.end(
      JSON.stringify({
        type: `/problems/x/${kind}`,
        title: kind,
        status,
        detail: `it is ${kind}`,
        kind,
        next: 'go on',
      }),
    );
  };

async function follow(url: string, signal?: AbortSignal): Promise<number[]> {
  const seen: number[] = [];
  const client = createClient({ url, key: 'iso_x', reconnectMs: 5 });
  for await (const { progress } of client.jobs.events({ job: '1' }, signal ? { signal } : {}))
    seen.push(progress.fraction);
  return seen;
}

describe('events of a job', () => {
  test('go on after a connection that broke, one that ended without a word, and a server that restarts', async () => {
    const url = await serve(
      stream(event('running', 0.1), 'break'),
      problem(503, 'draining'),
      stream(`: still here\n\n${event('running', 0.5)}`, 'end'),
      stream(`${event('succeeded', 1)}event: end\ndata: {}\n\n`, 'stay'),
    );
    expect(await follow(url)).toEqual([0.1, 0.5, 1]);
    expect(asked).toHaveLength(4);
    expect(asked.every(({ headers }) => headers.authorization === 'Bearer iso_x')).toBe(true);
  });

  test('end with the refusal when there is one, also in the middle of the stream', async () => {
    await expect(follow(await serve(problem(404, 'not-found')))).rejects.toMatchObject({
      name: 'ProblemError',
      status: 404,
      kind: 'not-found',
      next: 'go on',
    });
    expect(asked).toHaveLength(1);
    server?.close();
    const told = JSON.stringify({ type: '/p', title: 'gone', status: 410, kind: 'gone' });
    const url = await serve(stream(`${event('running', 0.1)}event: error\ndata: ${told}\n\n`, 'end'));
    await expect(follow(url)).rejects.toMatchObject({ status: 410, kind: 'gone' });
  });

  test('stop when they are told to, also while they wait to come back', async () => {
    const controller = new AbortController();
    const url = await serve((_request, response) => {
      response.destroy();
      if (asked.length === 3) controller.abort(new Error('enough'));
    });
    await expect(follow(url, controller.signal)).rejects.toThrow('enough');
  });

  test('that are none of ours are an unexpected answer', async () => {
    const url = await serve(stream('data: {"hello": "world"}\n\n', 'stay'));
    await expect(follow(url)).rejects.toMatchObject({ kind: 'unexpected-answer' });
  });
});

describe('the event stream format', () => {
  const text =
    ': comment\r\nretry: 10\r\nid: 7\r\nevent: x\r\ndata: a\r\ndata: ä 🩻\r\n\r\ndata:b\n\n\nevent: lost\r\rdata\n\ndata: cut';

  test('is read alike wherever the bytes are cut', async () => {
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size++) {
      const source = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
          controller.close();
        },
      });
      const events = [];
      for await (const one of serverSentEvents(source)) events.push(one);
      expect(events).toEqual([
        { event: 'x', data: 'a\nä 🩻', id: '7' },
        { event: 'message', data: 'b', id: '7' },
        { event: 'message', data: '', id: '7' },
      ]);
    }
  });

  test('without an end of event does not fill the memory', async () => {
    const line = new TextEncoder().encode(`data: ${'x'.repeat(1_000_000)}\n`);
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(line) });
    await expect(serverSentEvents(endless).next()).rejects.toThrow('16 MiB');
  });
});

describe('refusals', () => {
  test('carry status, kind, place, next step and when to come back', async () => {
    const url = await serve(problem(429, 'rate-limited', { 'retry-after': '7' }));
    await expect(createClient({ url }).sessions.me()).rejects.toMatchObject({
      status: 429,
      kind: 'rate-limited',
      message: 'it is rate-limited',
      retryAfterSeconds: 7,
    });
  });

  test('of somebody else, and no answer at all, are told apart', async () => {
    const url = await serve((_request, response) =>
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway'),
    );
    await expect(createClient({ url }).sessions.me()).rejects.toMatchObject({ status: 502, kind: 'unexpected-answer' });
    server?.close();
    await expect(createClient({ url: 'http://127.0.0.1:1' }).sessions.me()).rejects.toMatchObject({
      status: 0,
      kind: 'unreachable',
    });
  });

  test('of an answer that is not what was promised name its field', async () => {
    const url = await serve((_request, response) => response.end('{"items": [{"id": 5}]}'));
    await expect(createClient({ url }).jobs.list()).rejects.toMatchObject({
      kind: 'unexpected-answer',
      where: 'items.0.id',
    });
  });
});

describe('a request', () => {
  test('puts each field where it belongs, and a field that nobody knows is told at once', async () => {
    const url = await serve((_request, response) => response.end('{"items": []}'));
    const client = createClient({ url, key: 'k' });
    await client.jobs.list({ states: ['failed', 'queued'], model: 'a b:1', limit: 3 });
    expect(asked[0].url).toBe('/isocenter/v1/jobs?limit=3&states=failed%2Cqueued&model=a+b%3A1');
    await expect(client.jobs.list({ frob: 1 } as never)).rejects.toThrow("'frob' is no field");
    await expect(client.jobs.get({} as never)).rejects.toThrow("'job' is missing");
  });

  test('streams its body without knowing its length', async () => {
    const bytes = await new Promise<number>((done) => {
      void serve((request, response) => {
        let count = 0;
        request.on('data', (chunk: Buffer) => {
          count += chunk.length;
        });
        request.on('end', () => {
          response.writeHead(202).end(JSON.stringify(job('queued', 0)));
          done(count);
        });
      }).then(async (url) => {
        async function* body() {
          for (let n = 0; n < 10; n++) yield new Uint8Array(100_000);
        }
        await createClient({ url }).jobs.create({ model: 'm', body: body() }, { idempotencyKey: 'once' });
      });
    });
    expect(bytes).toBe(1_000_000);
    expect(asked[0].headers).toMatchObject({ 'transfer-encoding': 'chunked', 'idempotency-key': 'once' });
  });
});
