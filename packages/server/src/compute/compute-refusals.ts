/** Two ways in which a task is not begun, with what the caller's border needs to say so (HTTP: 503 and 507). */
import { ComputeError } from '@isocenter/engine/processes';
import type { Forecast } from './compute-pool.js';

/** Kind `busy`. */
export class BusyError extends ComputeError {
  constructor(
    /** For `Retry-After`: about when a child may be free. */
    readonly retryAfterSeconds: number,
    waiting: number,
  ) {
    super(
      'busy',
      `All compute children are busy, and ${waiting} other ${waiting === 1 ? 'task waits' : 'tasks wait'}`,
      {
        next: `Try again in about ${retryAfterSeconds} s, or send it as a job, which waits for its turn.`,
      },
    );
  }
}

/** Kind `memory-forecast`. */
export class ForecastRefusal extends ComputeError {
  constructor(
    readonly forecast: Forecast,
    next: string,
  ) {
    super('memory-forecast', forecast.why, { next });
  }
}
