/** Clients that trust nobody: they repeat a request with its idempotency key until it is acknowledged, and some of them after that. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ProblemError } from '@isocenter/client';
import type { Dice } from './dice.js';
import type { WantedJob } from './inputs.js';

export interface AcknowledgedJob {
  readonly id: string;
  readonly wanted: WantedJob;
  /** Requests until there was an answer. */
  readonly tries: number;
}

export interface SubmitOptions {
  readonly client: Client;
  readonly dice: Dice;
  /** Makes keys of these jobs differ from those of others. */
  readonly run: string;
  readonly atOnce: number;
  readonly onAcknowledged: (job: AcknowledgedJob) => void;
  readonly onViolation: (text: string, job?: string) => void;
}

/** A server that was killed needs a few seconds, on a loaded machine a minute. */
const PATIENCE_MS = 300_000;
const PAUSE_MS = 150;
/** Share of clients that repeat a request although they have its answer. */
const FORGETFUL = 0.15;

export async function submitAll(jobs: readonly WantedJob[], options: SubmitOptions): Promise<void> {
  const { dice, run, onAcknowledged, onViolation } = options;
  const line = jobs.map((wanted, n) => ({ wanted, key: `${run}-${n}`, again: dice.next() < FORGETFUL }));
  const one = async () => {
    for (let next = line.shift(); next; next = line.shift()) {
      const { wanted, key, again } = next;
      try {
        const first = await submit(options.client, wanted, key);
        onAcknowledged({ ...first, wanted });
        if (!again) continue;
        const second = await submit(options.client, wanted, key);
        if (second.id !== first.id) onViolation(`the same key made a second job ${second.id}`, first.id);
      } catch (error) {
        onViolation(`the request ${key} (${wanted.input.name} to ${wanted.model}) was refused: ${error}`);
      }
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, one));
}

async function submit(client: Client, wanted: WantedJob, key: string): Promise<{ id: string; tries: number }> {
  const { input, model, formats, maxAttempts } = wanted;
  const end = performance.now() + PATIENCE_MS;
  for (let tries = 1; ; tries++) {
    try {
      const { id } = await client.jobs.create(
        { model, body: input.bytes, maxAttempts, ...(formats ? { formats: [...formats] } : {}) },
        { idempotencyKey: key },
      );
      return { id, tries };
    } catch (error) {
      if (!mayPass(error) || performance.now() > end) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** No answer, half an answer, or one that says "later". */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return error instanceof TypeError;
  return error.status === 0 || error.status >= 500 || error.kind === 'unexpected-answer' || error.status === 429;
}
