/** Gauges that ask other areas when Prometheus asks; an area that does not answer costs its own figures only. */
import { Gauge, type Registry } from 'prom-client';

export interface MetricSources {
  readonly jobs?: () => Promise<{
    readonly byState: Readonly<Record<string, number>>;
    readonly oldestQueuedSeconds: number;
  }>;
  readonly workers?: () => Promise<readonly { readonly slots: number; readonly running: readonly string[] }[]>;
  readonly compute?: () => readonly { readonly state: string; readonly residentBytes: number }[];
  /** By purpose. */
  readonly blobs?: () => Promise<Readonly<Record<string, { readonly count: number; readonly bytes: number }>>>;
  readonly audit?: () => Promise<{ readonly entries: number }>;
}

const PATIENCE_MS = 2_000;

/** Registers the gauges of the sources that are there. The returned function asks all of them, once. */
export function addSourceGauges(registry: Registry, sources: MetricSources): () => Promise<void> {
  const registers = [registry];
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name: `isocenter_${name}`, help, labelNames, registers });
  const up = gauge('source_up', '1 when the area answered the last question for its figures', 'source');
  const questions: (() => Promise<void>)[] = [];

  const source = <T>(
    name: string,
    ask: (() => Promise<T> | T) | undefined,
    make: () => { readonly gauges: readonly Gauge[]; fill(answer: T): void },
  ): void => {
    if (ask === undefined) return;
    const { gauges, fill } = make();
    questions.push(async () => {
      const answer = await inTime(ask);
      up.set({ source: name }, answer === undefined ? 0 : 1);
      // Old figures would look like an answer.
      for (const one of gauges) one.reset();
      if (answer !== undefined) fill(answer);
    });
  };

  source('jobs', sources.jobs, () => {
    const jobs = gauge('jobs', 'Jobs by state', 'state');
    const oldest = gauge('queue_oldest_seconds', 'How long the oldest queued job has waited');
    return {
      gauges: [jobs, oldest],
      fill: ({ byState, oldestQueuedSeconds }) => {
        for (const [state, count] of Object.entries(byState)) jobs.set({ state }, count);
        oldest.set(oldestQueuedSeconds);
      },
    };
  });
  source('workers', sources.workers, () => {
    const workers = gauge('workers', 'Workers with a fresh heartbeat');
    const slots = gauge('worker_slots', 'Jobs that all workers together can run at once');
    const running = gauge('worker_running', 'Jobs that workers run now');
    return {
      gauges: [workers, slots, running],
      fill: (all) => {
        workers.set(all.length);
        slots.set(all.reduce((sum, worker) => sum + worker.slots, 0));
        running.set(all.reduce((sum, worker) => sum + worker.running.length, 0));
      },
    };
  });
  source('compute', sources.compute, () => {
    const children = gauge('compute_children', 'Compute children by state', 'state');
    const bytes = gauge('compute_resident_bytes', 'Memory of all compute children');
    return {
      gauges: [children, bytes],
      fill: (all) => {
        for (const { state } of all) children.inc({ state });
        bytes.set(all.reduce((sum, child) => sum + child.residentBytes, 0));
      },
    };
  });
  source('blobs', sources.blobs, () => {
    const count = gauge('blobs', 'Stored blobs by purpose', 'purpose');
    const bytes = gauge('blob_bytes', 'Bytes of stored blobs by purpose', 'purpose');
    return {
      gauges: [count, bytes],
      fill: (byPurpose) => {
        for (const [purpose, held] of Object.entries(byPurpose)) {
          count.set({ purpose }, held.count);
          bytes.set({ purpose }, held.bytes);
        }
      },
    };
  });
  source('audit', sources.audit, () => {
    const entries = gauge('audit_entries', 'Entries of the audit log');
    return { gauges: [entries], fill: (answer) => entries.set(answer.entries) };
  });

  return async () => {
    await Promise.all(questions.map((question) => question()));
  };
}

async function inTime<T>(ask: () => Promise<T> | T): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
