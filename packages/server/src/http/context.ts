/** What the HTTP border needs from the rest of the server; several apps (ports) share one context. */
import type { Logger } from 'pino';
import type { Accounts } from '../accounts/accounts.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { Drain } from './drain.js';
import type { HttpLimits } from './limits.js';
import type { UploadGate } from './upload-gate.js';

export interface HttpSettings {
  /** Of the program. */
  readonly version: string;
  /** Addresses or CIDR blocks whose X-Forwarded-* and X-Request-Id are believed; empty: nobody's. */
  readonly trustedProxies: readonly string[];
  /** How people reach us, e.g. `https://isocenter.example.org`; cookies are Secure when it is https. */
  readonly publicUrl?: string;
  /** Names that `Host` may have; undefined: any. On loopback it keeps foreign names (DNS rebinding) out. */
  readonly hosts?: readonly string[];
  /** Networks (addresses, CIDR blocks) by door: who may come in without a login. A door that is missing is closed. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
  /** Origins of web pages that may call the API with a key; empty (the default): none. */
  readonly corsOrigins: readonly string[];
}

/** What is measured of requests (@port); operations/metrics.ts keeps it for Prometheus. */
export interface HttpMetrics {
  /** `route` is the pattern, never the URL. */
  request(method: string, route: string, status: number, seconds: number): void;
  uploads(inFlight: number): void;
  refused(reason: 'connections' | 'uploads' | 'slow-body'): void;
}

/** A span around a request (@port); operations/tracing.ts makes one of OpenTelemetry. */
export interface RequestTracing {
  /** `headers` may carry a `traceparent`. */
  start(method: string, route: string, headers: Readonly<Record<string, unknown>>): RequestSpan;
}

export interface RequestSpan {
  run<T>(inside: () => T): T;
  end(status: number): void;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export interface HttpContext {
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  readonly log: Logger;
  readonly limits: HttpLimits;
  readonly settings: HttpSettings;
  readonly clock: Clock;
  /** Shared by all ports: how many uploads run, and whether we are stopping. */
  readonly uploads: UploadGate;
  readonly drain: Drain;
  readonly metrics?: HttpMetrics;
  readonly tracing?: RequestTracing;
  /** For the page at `/`. */
  readonly ready?: () => Promise<boolean>;
}
