/**
 * Spans around requests and jobs through OpenTelemetry, if its API package is installed: we bring only this port. Which
 * SDK and exporter take the spans is set up outside (`node --import ./telemetry.mjs`).
 */
import type { RequestSpan, RequestTracing } from '../http/context.js';

/** What we use of @opentelemetry/api 1.x. */
export interface TelemetryApi {
  readonly trace: {
    getTracer(name: string, version?: string): TelemetryTracer;
    setSpan(context: unknown, span: TelemetrySpan): unknown;
  };
  readonly context: {
    active(): unknown;
    with<T>(context: unknown, inside: () => T): T;
  };
  readonly propagation: { extract(context: unknown, carrier: unknown): unknown };
}

export interface TelemetryTracer {
  startSpan(
    name: string,
    options: { readonly kind: number; readonly attributes: Readonly<Record<string, string | number>> },
    context: unknown,
  ): TelemetrySpan;
}

export interface TelemetrySpan {
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { readonly code: number }): unknown;
  end(): void;
}

/** SpanKind and SpanStatusCode of the API. */
const SERVER = 1;
const CONSUMER = 4;
const ERROR = 2;
const FAULT_STATUS = 500;

export class Tracing implements RequestTracing {
  readonly #api: TelemetryApi;
  readonly #tracer: TelemetryTracer;

  constructor(api: TelemetryApi, version: string) {
    this.#api = api;
    this.#tracer = api.trace.getTracer('isocenter', version);
  }

  start(method: string, route: string, headers: Readonly<Record<string, unknown>>): RequestSpan {
    const { trace, context, propagation } = this.#api;
    const parent = propagation.extract(context.active(), headers);
    const attributes = { 'http.request.method': method, 'http.route': route };
    const span = this.#tracer.startSpan(`${method} ${route}`, { kind: SERVER, attributes }, parent);
    const inside = trace.setSpan(parent, span);
    return {
      run: (work) => context.with(inside, work),
      end: (status) => {
        span.setAttribute('http.response.status_code', status);
        if (status >= FAULT_STATUS) span.setStatus({ code: ERROR });
        span.end();
      },
    };
  }

  /** Runs a job inside a span; its error passes through. */
  async job<T>(kind: string, id: string, work: () => Promise<T>): Promise<T> {
    const { trace, context } = this.#api;
    const attributes = { 'isocenter.job.kind': kind, 'isocenter.job.id': id };
    const span = this.#tracer.startSpan(`job ${kind}`, { kind: CONSUMER, attributes }, context.active());
    try {
      return await context.with(trace.setSpan(context.active(), span), work);
    } catch (error) {
      span.setStatus({ code: ERROR });
      throw error;
    } finally {
      span.end();
    }
  }
}

// Not written as a literal in import(): the package is nobody's dependency here, and need not be there.
const PACKAGE: string = '@opentelemetry/api';

/** Undefined when the API package is not installed. */
export async function loadTracing(
  version: string,
  load: () => Promise<unknown> = () => import(PACKAGE),
): Promise<Tracing | undefined> {
  try {
    return new Tracing((await load()) as TelemetryApi, version);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
