/**
 * What every run of a model on a study has in common, whatever it answers: opening the study, choosing the process, and
 * saying who answered and what was looked at.
 */
import { createRequire } from 'node:module';
import { newUID, type Provenance } from '@isocenter/dicom';
import type { IntakeLimits } from '@isocenter/formats';
import { axisCodesOf, spacingOf, type Watch } from '@isocenter/volume';
import type { Bundle } from './bundle/bundle.js';
import { openStudy, type Study } from './intake/open-study.js';
import type { ChannelWish } from './intake/select-channels.js';
import type { ModelInput } from './model-input.js';
import type { Prediction } from './prediction.js';
import { builtinTargetOf, runBundle } from './run.js';
import type { RunOptions } from './run-network.js';
import { type ChildOptions, runBundleInChild } from './runtime/run-in-child.js';

export interface StudyRunOptions {
  /** Which series is meant, and what to do about ties, damage and gaps. */
  readonly wish?: ChannelWish;
  /** Models with a network run in a child process under these limits. */
  readonly limits?: ChildOptions;
  /** Where the model runs; default: built-in models here, networks in a child. */
  readonly process?: 'this' | 'child';
  /** Threads, memory limit and warm networks of a run in this process. */
  readonly run?: RunOptions;
  readonly intakeLimits?: Partial<IntakeLimits>;
  /** `archive`: anything but a zip or tar is refused. Default 'any'. */
  readonly expect?: 'any' | 'archive';
  /** Files of one name in different folders are an error, unless folders tell the model's channels apart. */
  readonly uniqueNames?: boolean;
  /** Overwrite files of the same name; default true. */
  readonly overwrite?: boolean;
  /** False: nobody looks into the folder after a crash, so nothing waits for the disk. Default true. */
  readonly durable?: boolean;
  /**
   * The input's file says where its voxels lie and holds no values worth reading: only for models that look at the grid
   * alone, and for 'masks', which tell no value. Default false.
   */
  readonly gridOnly?: boolean;
  /** Time written into what is made; default now. */
  readonly now?: Date;
  /** UID of the run; the same UID and time give the same bytes. Default: a new one. */
  readonly runUID?: string;
  /** Commit of the code, when known. */
  readonly codeVersion?: string;
}

const { version: softwareVersion } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Throws what `openStudy` throws. The caller closes the study. */
export async function openStudyFor(
  bundle: Bundle,
  input: string | Uint8Array,
  { intakeLimits: limits, expect, uniqueNames, gridOnly }: StudyRunOptions,
  watch: Watch,
): Promise<Study> {
  const oneChannel = bundle.isocenter.channels.length === 1;
  return openStudy(input, { limits, expect, gridOnly, uniqueNames: uniqueNames && oneChannel }, watch);
}

/** `peakMemoryBytes`: of the child, where one ran. Throws what `runBundle` and `runBundleInChild` throw. */
export async function askModel(
  bundle: Bundle,
  input: ModelInput,
  options: StudyRunOptions,
  watch: Watch,
): Promise<{ readonly prediction: Prediction; readonly peakMemoryBytes?: number }> {
  const where = options.process ?? (builtinTargetOf(bundle) ? 'this' : 'child');
  if (where === 'child') return runBundleInChild(bundle, input, options.limits ?? {}, watch);
  return { prediction: await runBundle(bundle, input, watch, options.run) };
}

export function provenanceOf(bundle: Bundle, options: StudyRunOptions): Provenance {
  const { isocenter } = bundle;
  return {
    modelName: bundle.name,
    modelVersion: bundle.version,
    weightsHash: bundle.weightsHash === 'none' ? '' : bundle.weightsHash,
    configurationHash: bundle.configurationHash,
    runUID: options.runUID ?? newUID(),
    softwareVersion,
    ...(options.codeVersion ? { codeVersion: options.codeVersion } : {}),
    ...(isocenter.manufacturer ? { manufacturer: isocenter.manufacturer } : {}),
  };
}

/** What the model was shown. */
export interface InputDescription {
  readonly channels: readonly { readonly name: string; readonly modality?: string; readonly units?: string }[];
  /** Voxels along i, j, k. */
  readonly size: readonly number[];
  /** mm along i, j, k. */
  readonly spacing: readonly number[];
  /** Direction in which i, j and k grow, such as 'LPS'. */
  readonly axes: string;
  readonly SeriesInstanceUID?: string;
}

export function describeInput({ channels }: ModelInput, SeriesInstanceUID: string | undefined): InputDescription {
  const [{ volume: grid }] = channels;
  return {
    channels: channels.map(({ name, modality, units }) => ({ name, modality, units })),
    size: grid.size,
    spacing: spacingOf(grid.affine),
    axes: axisCodesOf(grid.affine),
    SeriesInstanceUID,
  };
}

/** Of this process, or of the child that ran the model, whichever was larger. */
export function peakOf(child = 0): number {
  return Math.max(child, process.resourceUsage().maxRSS * 1024);
}
