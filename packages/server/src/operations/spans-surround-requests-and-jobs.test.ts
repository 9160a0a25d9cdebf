import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { createApp } from '../http/app.js';
import { fakeContext } from '../http/fake-context.suite.js';
import { loadTracing, type TelemetryApi, type TelemetrySpan } from './tracing.js';

interface Recorded {
  readonly name: string;
  readonly parent: unknown;
  readonly attributes: Record<string, string | number>;
  code?: number;
  ended: boolean;
}

/** The part of @opentelemetry/api that we use, with its real kind of context. */
function fakeApi() {
  const spans: Recorded[] = [];
  const store = new AsyncLocalStorage<unknown>();
  const api: TelemetryApi = {
    trace: {
      getTracer: () => ({
        startSpan: (name, { attributes }, parent): TelemetrySpan => {
          const span: Recorded = { name, parent, attributes: { ...attributes }, ended: false };
          spans.push(span);
          return Object.assign(span, {
            setAttribute: (key: string, value: string | number) => {
              span.attributes[key] = value;
            },
            setStatus: ({ code }: { readonly code: number }) => {
              span.code = code;
            },
            end: () => {
              span.ended = true;
            },
          });
        },
      }),
      setSpan: (_context, span) => ({ span }),
    },
    context: { active: () => store.getStore() ?? 'root', with: (context, inside) => store.run(context, inside) },
    propagation: {
      extract: (context, carrier) => (carrier as { readonly traceparent?: string }).traceparent ?? context,
    },
  };
  return { api, spans, active: () => store.getStore() };
}

describe('tracing', () => {
  it('puts a span around each request, below the caller’s, with the route and not the address', async () => {
    const { api, spans, active } = fakeApi();
    const tracing = await loadTracing('1', async () => api);
    const app = createApp(fakeContext({ tracing: tracing! }));
    let inside: unknown;
    app.get('/jobs/:job', { config: { access: 'public' } }, async () => {
      inside = active();
      throw new Error('x');
    });
    await app.inject({ url: '/jobs/PLANTED', headers: { traceparent: '00-abc' } });
    await app.close();
    expect(spans).toHaveLength(1);
    expect(inside).toMatchObject({ span: spans[0] });
    expect(spans[0]).toMatchObject({
      name: 'GET /jobs/:job',
      parent: '00-abc',
      attributes: { 'http.route': '/jobs/:job', 'http.response.status_code': 500 },
      code: 2,
      ended: true,
    });
  });

  it('puts a span around a job and passes its answer and its error on', async () => {
    const { api, spans } = fakeApi();
    const tracing = (await loadTracing('1', async () => api))!;
    expect(await tracing.job('segment', 'j1', async () => 7)).toBe(7);
    await expect(tracing.job('segment', 'j2', () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(spans.map(({ code, ended }) => [code, ended])).toEqual([
      [undefined, true],
      [2, true],
    ]);
  });

  it('is not there when the package is not', async () => {
    const missing = Object.assign(new Error('x'), { code: 'ERR_MODULE_NOT_FOUND' });
    expect(await loadTracing('1', () => Promise.reject(missing))).toBeUndefined();
    await expect(loadTracing('1', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});
