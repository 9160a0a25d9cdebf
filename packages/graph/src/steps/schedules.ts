/** Learning rates over a training, as plain functions of the epoch (or step) from 0: InnerEye's schedules and one-cycle. */

export type Schedule =
  | { readonly kind: 'constant' }
  | { readonly kind: 'exponential'; readonly gamma: number }
  | { readonly kind: 'step'; readonly size: number; readonly gamma: number }
  | { readonly kind: 'multiStep'; readonly milestones: readonly number[]; readonly gamma: number }
  /** (1 − x) · (1 − e / E)^gamma + x of the rate, with x = minimum / rate. */
  | { readonly kind: 'polynomial'; readonly gamma: number }
  | { readonly kind: 'cosine' }
  /** Cosine up from rate / `divisor` to the rate in the first `rise`, down to rate / `divisor` / `finalDivisor` in the rest (PyTorch's OneCycleLR). */
  | { readonly kind: 'oneCycle'; readonly rise?: number; readonly divisor?: number; readonly finalDivisor?: number };

export interface ScheduleOptions {
  readonly schedule: Schedule;
  readonly rate: number;
  /** Never below this. */
  readonly minimum?: number;
  /** Epochs (or steps) of the whole training. */
  readonly total: number;
  /** In the first so many the rate is multiplied by (e + 1) / (warmUp + 1); the schedule starts after them. */
  readonly warmUp?: number;
}

/** The learning rate at `epoch`. */
export function rateAt(epoch: number, { schedule, rate, minimum = 0, total, warmUp = 0 }: ScheduleOptions): number {
  if (epoch < warmUp) return (rate * (epoch + 1)) / (warmUp + 1);
  const length = total - warmUp;
  return Math.max(minimum, scheduled(schedule, epoch - warmUp, rate, minimum, length));
}

function scheduled(schedule: Schedule, e: number, rate: number, minimum: number, length: number): number {
  switch (schedule.kind) {
    case 'constant':
      return rate;
    case 'exponential':
      return rate * schedule.gamma ** e;
    case 'step':
      return rate * schedule.gamma ** Math.floor(e / schedule.size);
    case 'multiStep':
      return rate * schedule.gamma ** schedule.milestones.filter((milestone) => milestone <= e).length;
    case 'polynomial':
      return (rate - minimum) * Math.max(0, 1 - e / length) ** schedule.gamma + minimum;
    case 'cosine':
      return cosine(rate, minimum, e / length);
    case 'oneCycle': {
      const { rise = 0.3, divisor = 25, finalDivisor = 1e4 } = schedule;
      const peak = rise * length - 1;
      const low = rate / divisor;
      return e <= peak
        ? cosine(low, rate, e / peak)
        : cosine(rate, low / finalDivisor, (e - peak) / (length - 1 - peak));
    }
  }
}

/** From `start` to `end` along half a cosine, `share` of the way. */
const cosine = (start: number, end: number, share: number): number =>
  end + ((start - end) * (1 + Math.cos(Math.PI * share))) / 2;
