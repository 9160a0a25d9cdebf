/** Whether this process can do what it is for: words from a closed list say what is missing. */
import type { Drain } from '../http/drain.js';

export type ReadinessReason =
  | 'starting'
  | 'draining'
  | 'state-unavailable'
  | 'blobs-unavailable'
  | 'queue-unavailable'
  | 'disk-full';

export interface ReadinessCheck {
  readonly reason: ReadinessReason;
  /** False, an error, or no answer in time: `reason` stands. */
  check(): Promise<boolean>;
}

export interface ReadinessOptions {
  readonly timeoutMs?: number;
  /** Answers are kept this long, so that a thousand probes cost one check. */
  readonly cacheMs?: number;
  readonly now?: () => number;
}

const TIMEOUT_MS = 2_000;
const CACHE_MS = 1_000;

export class Readiness {
  readonly #drain: Drain;
  readonly #checks: readonly ReadinessCheck[];
  readonly #timeoutMs: number;
  readonly #cacheMs: number;
  readonly #now: () => number;
  #started = false;
  #cached: { readonly at: number; readonly reasons: Promise<readonly ReadinessReason[]> } | undefined;

  constructor(drain: Drain, checks: readonly ReadinessCheck[], options: ReadinessOptions = {}) {
    this.#drain = drain;
    this.#checks = checks;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#cacheMs = options.cacheMs ?? CACHE_MS;
    this.#now = options.now ?? Date.now;
  }

  /** Everything is put together: from now the checks decide. */
  started(): void {
    this.#started = true;
  }

  async ready(): Promise<boolean> {
    return (await this.reasons()).length === 0;
  }

  /** Why not; empty: ready. Going down is known at once, whatever was cached. */
  async reasons(): Promise<readonly ReadinessReason[]> {
    if (this.#drain.draining) return ['draining'];
    if (!this.#started) return ['starting'];
    const now = this.#now();
    if (this.#cached === undefined || now - this.#cached.at >= this.#cacheMs)
      this.#cached = { at: now, reasons: this.#ask() };
    return this.#cached.reasons;
  }

  async #ask(): Promise<readonly ReadinessReason[]> {
    const answers = await Promise.all(this.#checks.map(async (one) => ((await this.#holds(one)) ? [] : [one.reason])));
    return answers.flat();
  }

  async #holds({ check }: ReadinessCheck): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#timeoutMs);
    });
    try {
      return await Promise.race([check(), late]);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
