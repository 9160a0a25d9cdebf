/** `isocenter predict INPUT --model … [--out …]`. */
import { loadBundle, predictFormats, predictStudy, shippedModels } from '@isocenter/engine';
import { exitCodes } from '../exit-codes.js';
import { predictText } from '../output/predict-text.js';
import type { CommandContext } from '../program.js';
import { childLimits, type LimitOptions, type SeriesOptions, seriesWishes } from './series-wishes.js';

export interface PredictCommandOptions extends SeriesOptions, LimitOptions {
  readonly input: string;
  readonly model: string;
  readonly out?: string;
  readonly models: readonly string[];
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function predictCommand(
  options: PredictCommandOptions,
  { terminal, watch, endProgress }: CommandContext,
): Promise<number> {
  const bundle = await loadBundle(options.model, { models: [...options.models, shippedModels] });
  const report = await predictStudy(
    options.input,
    bundle,
    {
      wish: seriesWishes(options),
      limits: childLimits(options),
      overwrite: options.force === true,
      ...(options.out === undefined ? {} : { outFolder: options.out, formats: predictFormats }),
    },
    watch,
  );
  endProgress();
  terminal.print(predictText(report));
  terminal.document(report);
  return exitCodes.ok;
}
