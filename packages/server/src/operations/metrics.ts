/** What Prometheus reads: requests as they happen, everything else asked for when it asks. No label names a patient or a client. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { HttpMetrics } from '../http/context.js';
import { addSourceGauges, type MetricSources } from './source-gauges.js';

/** Seconds; from a trivial GET to a large upload. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300];

export class Metrics implements HttpMetrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #uploads: Gauge;
  readonly #refused: Counter<'reason'>;
  readonly #askSources: () => Promise<void>;

  constructor(sources: MetricSources = {}) {
    const registers = [this.#registry];
    // Event loop lag, memory, handles, garbage collection.
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Histogram({
      name: 'isocenter_http_request_seconds',
      help: 'Time from the headers of a request to the end of its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers,
    });
    this.#uploads = new Gauge({ name: 'isocenter_uploads_in_flight', help: 'Uploads being received', registers });
    this.#refused = new Counter({
      name: 'isocenter_http_refused_total',
      help: 'Requests refused to protect the server',
      labelNames: ['reason'],
      registers,
    });
    this.#askSources = addSourceGauges(this.#registry, sources);
  }

  request(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }

  uploads(inFlight: number): void {
    this.#uploads.set(inFlight);
  }

  refused(reason: 'connections' | 'uploads' | 'slow-body'): void {
    this.#refused.inc({ reason });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition format of Prometheus. */
  async text(): Promise<string> {
    await this.#askSources();
    return this.#registry.metrics();
  }
}
