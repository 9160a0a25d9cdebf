/** `isocenter segment INPUT --model … --out …`. */
import { loadBundle, type SegmentOptions, segmentStudy, shippedModels } from '@isocenter/engine';
import { INSET } from '@isocenter/volume';
import { exitCodes } from '../exit-codes.js';
import { segmentText } from '../output/segment-text.js';
import type { CommandContext } from '../program.js';

export interface SegmentCommandOptions {
  readonly input: string;
  readonly model: string;
  readonly out: string;
  readonly format?: readonly string[];
  readonly holes?: 'keyhole' | 'even-odd' | 'separate';
  readonly inset?: boolean;
  readonly profile?: 'strict' | 'innereye';
  readonly segType?: 'binary' | 'labelmap';
  readonly series: readonly string[];
  readonly models: readonly string[];
  readonly memory?: number;
  readonly time?: number;
  readonly threads?: number;
  readonly ignoreDamaged?: boolean;
  readonly longestRun?: boolean;
  readonly force?: boolean;
  readonly requireProof?: boolean;
  readonly json?: boolean;
}

const MEBIBYTE = 2 ** 20;

export async function segmentCommand(
  options: SegmentCommandOptions,
  { terminal, watch, endProgress }: CommandContext,
): Promise<number> {
  const bundle = await loadBundle(options.model, { models: [...options.models, shippedModels] });
  const segment: SegmentOptions = {
    formats: options.format ?? 'default',
    outFolder: options.out,
    holes: options.holes,
    inset: options.inset ? INSET : 0,
    profile: options.profile,
    segType: options.segType,
    wish: {
      ...seriesWishes(options.series),
      ...(options.ignoreDamaged ? { damaged: 'ignore' as const } : {}),
      ...(options.longestRun ? { irregular: 'longest-run' as const } : {}),
    },
    overwrite: options.force === true,
    requireExact: options.requireProof === true,
    limits: {
      memoryLimitBytes: options.memory === undefined ? undefined : options.memory * MEBIBYTE,
      timeLimitMs: options.time === undefined ? undefined : options.time * 1000,
      threads: options.threads,
    },
  };
  const report = await segmentStudy(options.input, bundle, segment, watch);
  endProgress();
  terminal.print(segmentText(report));
  terminal.document(report);
  return report.exact ? exitCodes.ok : exitCodes.proof;
}

/** `3`, a SeriesInstanceUID, or `channel=3`. */
function seriesWishes(wishes: readonly string[]): SegmentOptions['wish'] {
  const channels: Record<string, string | number> = {};
  let series: string | number | undefined;
  for (const wish of wishes) {
    const [, channel, value] = /^([^=]+)=(.+)$/.exec(wish) ?? [undefined, undefined, wish];
    const meant = /^\d{1,6}$/.test(value) ? Number(value) : value;
    if (channel === undefined) series = meant;
    else channels[channel] = meant;
  }
  return { series, ...(Object.keys(channels).length > 0 ? { channels } : {}) };
}
