/**
 * How long each step of a model takes, learnt from its last jobs that succeeded. Where time grows with the size of the
 * input (a larger CT has more slices to decode and to infer) the estimate is scaled by it; where it does not, the plain
 * median is the better guess.
 */
import type { Database } from '../state/database.js';

export interface PastRun {
  readonly stepSeconds: Readonly<Record<string, number>>;
  readonly inputBytes: number;
}

/** Estimated seconds by step. */
export type StepEstimates = ReadonlyMap<string, number>;

const LEARN_FROM = 20;
/** With fewer pairs a correlation says nothing. */
const ENOUGH_PAIRS = 4;
/** Above this (Pearson's r) the size explains at least half of the variance. */
const STRONG = 0.7;

export async function pastRuns(db: Database, kind: string, model: string | undefined): Promise<PastRun[]> {
  const rows = await db
    .selectFrom('job')
    .select(['step_seconds', 'input_bytes'])
    .where('kind', '=', kind)
    .where('model', model === undefined ? 'is' : '=', model ?? null)
    .where('state', '=', 'succeeded')
    .orderBy('finished_at', 'desc')
    .limit(LEARN_FROM)
    .execute();
  return rows.flatMap(({ step_seconds, input_bytes }) =>
    step_seconds ? [{ stepSeconds: step_seconds, inputBytes: Number(input_bytes ?? 0) }] : [],
  );
}

/** Undefined when nothing was learnt yet. A step that no run knew has no estimate. */
export function estimateSteps(runs: readonly PastRun[], inputBytes: number): StepEstimates | undefined {
  if (runs.length === 0) return undefined;
  const estimates = new Map<string, number>();
  for (const step of new Set(runs.flatMap(({ stepSeconds }) => Object.keys(stepSeconds)))) {
    const pairs = runs.flatMap(({ stepSeconds, inputBytes }) => {
      const seconds = stepSeconds[step];
      return seconds === undefined ? [] : [{ seconds, bytes: inputBytes }];
    });
    const scaled = inputBytes > 0 && growsWithBytes(pairs);
    estimates.set(
      step,
      scaled
        ? inputBytes * median(pairs.map(({ seconds, bytes }) => seconds / bytes))
        : median(pairs.map(({ seconds }) => seconds)),
    );
  }
  return estimates;
}

function growsWithBytes(pairs: readonly { readonly seconds: number; readonly bytes: number }[]): boolean {
  if (pairs.length < ENOUGH_PAIRS || pairs.some(({ bytes }) => bytes <= 0)) return false;
  const n = pairs.length;
  const meanX = pairs.reduce((sum, { bytes }) => sum + bytes, 0) / n;
  const meanY = pairs.reduce((sum, { seconds }) => sum + seconds, 0) / n;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (const { bytes, seconds } of pairs) {
    xy += (bytes - meanX) * (seconds - meanY);
    xx += (bytes - meanX) ** 2;
    yy += (seconds - meanY) ** 2;
  }
  return xx > 0 && yy > 0 && xy / Math.sqrt(xx * yy) > STRONG;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
