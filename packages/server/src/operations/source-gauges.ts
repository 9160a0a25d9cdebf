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

export function addSourceGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const up = new Gauge({
    name: 'isocenter_source_up',
    help: '1 when the area answered the last question of its figures',
    labelNames: ['source'],
    registers,
  });
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name: `isocenter_${name}`, help, labelNames, registers });
  /** Several gauges of one source are filled by the collect of the first. */
  const filledBy = <T>(
    source: string,
    first: string,
    help: string,
    labels: string[],
    ask: () => Promise<T> | T,
    fill: (answer: T, first: Gauge) => void,
  ) =>
    new Gauge({
      name: `isocenter_${first}`,
      help,
      labelNames: labels,
      registers,
      async collect() {
        this.reset();
        const answer = await inTime(ask);
        up.set({ source }, answer === undefined ? 0 : 1);
        if (answer !== undefined) fill(answer, this);
      },
    });

  const { jobs, workers, compute, blobs, audit } = sources;
  if (jobs !== undefined) {
    const age = gauge('queue_oldest_seconds', 'How long the oldest queued job has waited');
    filledBy('jobs', 'jobs', 'Jobs by state', ['state'], jobs, ({ byState, oldestQueuedSeconds }, first) => {
      for (const [state, count] of Object.entries(byState)) first.set({ state }, count);
      age.set(oldestQueuedSeconds);
    });
  }
  if (workers !== undefined) {
    const slots = gauge('worker_slots', 'Jobs that all workers together can run at once');
    const running = gauge('worker_running', 'Jobs that workers run now');
    filledBy('workers', 'workers', 'Workers with a fresh heartbeat', [], workers, (all, first) => {
      first.set(all.length);
      slots.set(all.reduce((sum, worker) => sum + worker.slots, 0));
      running.set(all.reduce((sum, worker) => sum + worker.running.length, 0));
    });
  }
  if (compute !== undefined) {
    const bytes = gauge('compute_resident_bytes', 'Memory of all compute children');
    filledBy('compute', 'compute_children', 'Compute children by state', ['state'], compute, (children, first) => {
      for (const { state } of children) first.inc({ state });
      bytes.set(children.reduce((sum, child) => sum + child.residentBytes, 0));
    });
  }
  if (blobs !== undefined) {
    const count = gauge('blobs', 'Stored blobs by purpose', 'purpose');
    filledBy('blobs', 'blob_bytes', 'Bytes of stored blobs by purpose', ['purpose'], blobs, (byPurpose, first) => {
      count.reset();
      for (const [purpose, held] of Object.entries(byPurpose)) {
        first.set({ purpose }, held.bytes);
        count.set({ purpose }, held.count);
      }
    });
  }
  if (audit !== undefined)
    filledBy('audit', 'audit_entries', 'Entries of the audit log', [], audit, ({ entries }, first) =>
      first.set(entries),
    );
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
