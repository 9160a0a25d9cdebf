import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from '../http/app.js';
import { type FakeContext, fakeContext } from '../http/fake-context.suite.js';
import { serveHealth } from './health-routes.js';
import { Readiness, type ReadinessCheck } from './readiness.js';

let app: FastifyInstance;
let context: FakeContext;
let now = 0;

function start(checks: readonly ReadinessCheck[]): Readiness {
  context = fakeContext();
  const readiness = new Readiness(context.drain, checks, { timeoutMs: 30, cacheMs: 1_000, now: () => now });
  app = createApp(context);
  serveHealth(app, readiness);
  return readiness;
}

afterEach(() => app.close());

const ready = async () => {
  const answer = await app.inject({ url: '/health/ready' });
  return [answer.statusCode, answer.json()] as const;
};

const fine: ReadinessCheck = { reason: 'blobs-unavailable', check: async () => true };

describe('/health/ready', () => {
  it('is 503 until all is started, then 200', async () => {
    const readiness = start([fine]);
    expect(await ready()).toEqual([503, { status: 'not-ready', reasons: ['starting'] }]);
    readiness.started();
    expect(await ready()).toEqual([200, { status: 'ready' }]);
  });

  it('names what fails, throws or does not answer', async () => {
    start([
      fine,
      { reason: 'disk-full', check: async () => false },
      {
        reason: 'state-unavailable',
        check: async () => {
          throw new Error('connection refused at 10.0.0.1');
        },
      },
      { reason: 'queue-unavailable', check: () => new Promise(() => {}) },
    ]).started();
    expect(await ready()).toEqual([
      503,
      { status: 'not-ready', reasons: ['disk-full', 'state-unavailable', 'queue-unavailable'] },
    ]);
  });

  it('is 503 at once when the server goes down, whatever was found a moment ago', async () => {
    start([fine]).started();
    expect((await ready())[0]).toBe(200);
    context.drain.start();
    expect(await ready()).toEqual([503, { status: 'not-ready', reasons: ['draining'] }]);
  });

  it('asks once for many probes, and again after a while', async () => {
    let asked = 0;
    start([
      {
        reason: 'state-unavailable',
        check: async () => {
          asked += 1;
          return true;
        },
      },
    ]).started();
    await Promise.all(Array.from({ length: 50 }, ready));
    expect(asked).toBe(1);
    now += 1_001;
    await ready();
    expect(asked).toBe(2);
  });
});

describe('/health/live', () => {
  it('answers while nothing else does', async () => {
    start([{ reason: 'state-unavailable', check: async () => false }]);
    context.drain.start();
    expect((await app.inject({ url: '/health/live' })).json()).toEqual({ status: 'live' });
  });
});
