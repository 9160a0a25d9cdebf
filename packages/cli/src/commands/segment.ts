/** `isocenter segment INPUT --model … --out …`. */
import { loadBundle, type SegmentOptions, segmentStudy, shippedModels } from '@isocenter/engine';
import { INSET } from '@isocenter/volume';
import { exitCodes } from '../exit-codes.js';
import { segmentText } from '../output/segment-text.js';
import type { CommandContext } from '../program.js';
import { childLimits, type LimitOptions, type SeriesOptions, seriesWishes } from './series-wishes.js';

export interface SegmentCommandOptions extends SeriesOptions, LimitOptions {
  readonly input: string;
  readonly model: string;
  readonly out: string;
  readonly format?: readonly string[];
  readonly holes?: 'keyhole' | 'even-odd' | 'separate';
  readonly inset?: boolean;
  readonly profile?: 'strict' | 'innereye';
  readonly segType?: 'binary' | 'labelmap';
  readonly models: readonly string[];
  readonly force?: boolean;
  readonly requireProof?: boolean;
  readonly json?: boolean;
}

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
    wish: seriesWishes(options),
    overwrite: options.force === true,
    requireExact: options.requireProof === true,
    limits: childLimits(options),
  };
  const report = await segmentStudy(options.input, bundle, segment, watch);
  endProgress();
  terminal.print(segmentText(report));
  terminal.document(report);
  return report.exact ? exitCodes.ok : exitCodes.proof;
}
