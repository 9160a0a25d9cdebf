/**
 * Turns a handler's steps into one fraction that never falls, and into seconds left once durations were learnt. Pure:
 * time is handed in (milliseconds of any monotone clock), so that a test can replay a run.
 */
import type { JobProgress } from './job.js';
import type { JobHandler } from './job-handler.js';
import type { StepEstimates } from './learnt-durations.js';

/** 1 is said by the end of the job and by nothing else. */
const MOST = 0.99;
/** Share of its expected time after which a step without own figures stops moving: it may take longer than expected. */
const MOST_BY_TIME = 0.95;
/** From here on a step's own speed tells more than other runs do. */
const TRUST_OWN_SPEED = 0.1;

export class ProgressMeter {
  readonly #steps: JobHandler['steps'];
  readonly #weights: number[];
  /** Seconds of each step; undefined until they were learnt. */
  #expected: (number | undefined)[] | undefined;
  #at = 0;
  #name: string;
  /** Of the step that runs, as the handler said it. */
  #done = 0;
  #total = 0;
  #since: number;
  #fraction = 0;
  readonly #seconds: Record<string, number> = {};

  constructor(steps: JobHandler['steps'], now: number) {
    this.#steps = steps.length > 0 ? steps : [{ step: '', share: 1 }];
    this.#weights = shares(this.#steps.map(({ share }) => share));
    this.#name = this.#steps[0]!.step;
    this.#since = now;
  }

  /** May come late, while the job runs; the fraction goes on from where it is. */
  learn(estimates: StepEstimates): void {
    const expected = this.#steps.map(({ step }) => estimates.get(step));
    if (expected.every((seconds) => seconds === undefined)) return;
    this.#expected = expected;
    const learnt = shares(expected.map((seconds) => seconds ?? 0));
    for (const [n, share] of learnt.entries()) this.#weights[n] = share;
  }

  /** `done` of `total` in `step`. Steps go forward only; a name that is not in the list is shown, and moves nothing. */
  advance(step: string, done: number, total: number, now: number): void {
    const at = this.#steps.findIndex((each) => each.step === step);
    if (at < 0) this.#name = step;
    if (at < this.#at) return;
    if (at > this.#at) {
      this.#leave(now);
      this.#at = at;
    }
    this.#name = step;
    this.#done = Math.max(0, done);
    this.#total = Math.max(0, total);
  }

  #leave(now: number): void {
    const { step } = this.#steps[this.#at]!;
    this.#seconds[step] = (this.#seconds[step] ?? 0) + Math.max(0, now - this.#since) / 1000;
    this.#since = now;
    this.#done = 0;
    this.#total = 0;
  }

  /** As it stands at `now`; steps without own figures move with time once they were learnt. */
  progress(now: number): JobProgress {
    const elapsed = Math.max(0, now - this.#since) / 1000;
    const expected = this.#expected?.[this.#at];
    // A step of one piece (0 of 1) says nothing about how far it is.
    const own =
      this.#total > 1 || (this.#total > 0 && this.#done >= this.#total) ? ratio(this.#done, this.#total) : undefined;
    const byTime = expected === undefined ? 0 : Math.min(MOST_BY_TIME, ratio(elapsed, expected));
    const within = own ?? byTime;
    const before = this.#weights.slice(0, this.#at).reduce((sum, weight) => sum + weight, 0);
    this.#fraction = Math.max(this.#fraction, Math.min(MOST, before + this.#weights[this.#at]! * within));
    const secondsLeft = this.#secondsLeft(elapsed, expected, own);
    return { step: this.#name, fraction: this.#fraction, ...(secondsLeft === undefined ? {} : { secondsLeft }) };
  }

  #secondsLeft(elapsed: number, expected: number | undefined, own: number | undefined): number | undefined {
    if (!this.#expected) return undefined;
    const later = this.#expected.slice(this.#at + 1).reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0);
    const byTime = Math.max(0, (expected ?? 0) - elapsed);
    if (own === undefined || own < TRUST_OWN_SPEED) return byTime + later;
    return (elapsed / own) * (1 - own) + later;
  }

  /** Seconds by step of the whole run, for those that come after. */
  finish(now: number): Readonly<Record<string, number>> {
    this.#leave(now);
    return { ...this.#seconds };
  }
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, part / whole) : 0;
}

/** Scaled to a sum of 1; all equal when nothing is known of any. */
function shares(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => (sum > 0 ? value / sum : 1 / values.length));
}
