/** What `--series` and its kin say, in the engine's words; for all commands that run a model on a study. */
import type { ChannelWish } from '@isocenter/engine';

export interface SeriesOptions {
  readonly series: readonly string[];
  readonly ignoreDamaged?: boolean;
  readonly longestRun?: boolean;
}

/** Each of `series` is `3`, a SeriesInstanceUID, or `channel=3`. */
export function seriesWishes({ series: wishes, ignoreDamaged, longestRun }: SeriesOptions): ChannelWish {
  const channels: Record<string, string | number> = {};
  let series: string | number | undefined;
  for (const wish of wishes) {
    const [, channel, value] = /^([^=]+)=(.+)$/.exec(wish) ?? [undefined, undefined, wish];
    const meant = /^\d{1,6}$/.test(value) ? Number(value) : value;
    if (channel === undefined) series = meant;
    else channels[channel] = meant;
  }
  return {
    series,
    ...(Object.keys(channels).length > 0 ? { channels } : {}),
    ...(ignoreDamaged ? { damaged: 'ignore' as const } : {}),
    ...(longestRun ? { irregular: 'longest-run' as const } : {}),
  };
}

export interface LimitOptions {
  readonly memory?: number;
  readonly time?: number;
  readonly threads?: number;
}

const MEBIBYTE = 2 ** 20;

export function childLimits({ memory, time, threads }: LimitOptions) {
  return {
    memoryLimitBytes: memory === undefined ? undefined : memory * MEBIBYTE,
    timeLimitMs: time === undefined ? undefined : time * 1000,
    threads,
  };
}
