import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from '../http/app.js';
import type { HttpSettings } from '../http/context.js';
import { ADMIN_KEY, fakeContext, SERVICE_KEY } from '../http/fake-context.suite.js';
import { Metrics } from './metrics.js';
import { serveMetrics } from './metrics-route.js';
import type { MetricSources } from './source-gauges.js';

let app: FastifyInstance;
let metrics: Metrics;

function start(sources: MetricSources = {}, settings: Partial<HttpSettings> = {}): void {
  metrics = new Metrics(sources);
  app = createApp(fakeContext({ metrics, settings }));
  serveMetrics(app, metrics);
  app.get('/jobs/:job', { config: { access: 'public' } }, async () => 'job');
}

afterEach(() => app.close());

const read = (
  headers: Record<string, string> = { authorization: `Bearer ${ADMIN_KEY}` },
  remoteAddress = '127.0.0.1',
) => app.inject({ url: '/metrics', headers, remoteAddress });

describe('/metrics', () => {
  it('counts requests by the pattern of their route, never by what was asked for', async () => {
    start();
    await app.inject({ url: '/jobs/DOE%5EJOHN?name=ROE' });
    await app.inject({ url: '/DOE%5EJANE' });
    const text = (await read()).body;
    expect(text).toContain('isocenter_http_request_seconds_count{method="GET",route="/jobs/:job",status="200"} 1');
    expect(text).toContain('isocenter_http_request_seconds_count{method="GET",route="(none)",status="404"} 1');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).not.toMatch(/DOE|ROE/);
  });

  it('asks jobs, workers, compute, blobs and audit when it is read', async () => {
    start({
      jobs: async () => ({ byState: { queued: 3, running: 1 }, oldestQueuedSeconds: 4.5 }),
      workers: async () => [
        { slots: 2, running: ['a'] },
        { slots: 3, running: [] },
      ],
      compute: () => [
        { state: 'busy', residentBytes: 10 },
        { state: 'idle', residentBytes: 5 },
        { state: 'idle', residentBytes: 5 },
      ],
      blobs: async () => ({ result: { count: 7, bytes: 700 } }),
      audit: async () => ({ entries: 12 }),
    });
    const text = (await read()).body;
    for (const line of [
      'isocenter_jobs{state="queued"} 3',
      'isocenter_queue_oldest_seconds 4.5',
      'isocenter_workers 2',
      'isocenter_worker_slots 5',
      'isocenter_worker_running 1',
      'isocenter_compute_children{state="idle"} 2',
      'isocenter_compute_resident_bytes 20',
      'isocenter_blob_bytes{purpose="result"} 700',
      'isocenter_blobs{purpose="result"} 7',
      'isocenter_audit_entries 12',
      'isocenter_source_up{source="jobs"} 1',
    ])
      expect(text).toContain(`${line}\n`);
  });

  it('goes on without an area that fails, and says so', async () => {
    start({
      jobs: async () => {
        throw new Error('no database');
      },
      compute: () => [],
    });
    const text = (await read()).body;
    expect(text).toContain('isocenter_source_up{source="jobs"} 0');
    expect(text).toContain('isocenter_source_up{source="compute"} 1');
    expect(text).not.toContain('isocenter_jobs{');
  });

  it('is for keys that may read operations, and for the networks that are named', async () => {
    start();
    expect((await read({})).statusCode).toBe(401);
    expect((await read({ authorization: `Bearer ${SERVICE_KEY}` })).statusCode).toBe(403);
    await app.close();
    start({}, { networks: { metrics: ['10.9.0.0/16'] } });
    expect((await read({}, '10.9.1.1')).statusCode).toBe(200);
    expect((await read({}, '10.8.1.1')).statusCode).toBe(401);
  });
});
