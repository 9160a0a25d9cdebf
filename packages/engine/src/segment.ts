/**
 * The main job in one call: open the study, choose its series, run the model, encode, prove, and put the files in their
 * place, all or none. What a command line or a server shows stands in the report.
 */
import { createRequire } from 'node:module';
import { newUID, type Provenance, uidFrom } from '@isocenter/dicom';
import { type IntakeLimits, OutputFolder } from '@isocenter/formats';
import { axisCodesOf, Failure, type HoleMode, spacingOf, type Watch } from '@isocenter/volume';
import type { Bundle } from './bundle/bundle.js';
import { checkInput } from './bundle/check-input.js';
import type { EncodeOptions, SegmentationResult } from './encoders/encoder.js';
import { encodersFor } from './encoders/encoders.js';
import { structureTable } from './encoders/structure-table.js';
import { openStudy } from './intake/open-study.js';
import { type ChannelWish, type SelectedChannels, selectChannels } from './intake/select-channels.js';
import type { ModelInput } from './model-input.js';
import type { Prediction } from './prediction.js';
import { type Proof, requireExact } from './proof/proof.js';
import { builtinTargetOf, runBundle } from './run.js';
import type { RunOptions } from './run-network.js';
import { type ChildOptions, runBundleInChild } from './runtime/run-in-child.js';
import type { SegmentReport } from './segment-report.js';

export interface SegmentOptions {
  /** 'rtstruct', 'seg', 'nifti', 'nrrd', 'png', 'csv', 'sr', 'sc', 'masks'; 'default', alone or in the list, is what suits the input. */
  readonly formats: readonly string[] | 'default';
  readonly outFolder: string;
  /** Which series is meant, and what to do about ties, damage and gaps. */
  readonly wish?: ChannelWish;
  readonly holes?: HoleMode;
  readonly inset?: EncodeOptions['inset'];
  readonly profile?: EncodeOptions['profile'];
  readonly interpreter?: string;
  readonly label?: string;
  readonly modelId?: EncodeOptions['modelId'];
  readonly segType?: EncodeOptions['segType'];
  /** File names without ending; default 'segmentation'. */
  readonly stem?: string;
  /** A difference between an object and the segmentation is an error, and nothing is delivered. */
  readonly requireExact?: boolean;
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
  /** Time written into the objects; default now. */
  readonly now?: Date;
  /** UID of the run; the same UID and time give the same bytes. Default: a new one. */
  readonly runUID?: string;
  /** A new UID at each call; default: derived from the run's UID, in the order of writing. */
  readonly uid?: () => string;
  /** Commit of the code, when known. */
  readonly codeVersion?: string;
}

export class SegmentError extends Failure<'no-segmentation'> {}

const { version: softwareVersion } = createRequire(import.meta.url)('../package.json') as { version: string };

/** What is written when nothing is asked for. */
const DICOM_FORMATS = ['rtstruct', 'seg', 'png', 'csv'];
const IMAGE_FORMATS = ['nifti', 'png', 'csv'];

/** Milliseconds by step. */
class Stopwatch {
  readonly steps: Record<string, number> = {};
  #last = performance.now();
  readonly #start = this.#last;

  lap(step: string): void {
    const now = performance.now();
    this.steps[step] = (this.steps[step] ?? 0) + Math.round(now - this.#last);
    this.#last = now;
  }

  total(): Record<string, number> {
    return { ...this.steps, total: Math.round(performance.now() - this.#start) };
  }
}

/**
 * Throws what the stages throw (all Failures, or the abort reason); then nothing of the output is left behind.
 * `input`: path or bytes of a zip, tar, folder, DICOM, NIfTI or NRRD.
 */
export async function segmentStudy(
  input: string | Uint8Array,
  bundle: Bundle,
  options: SegmentOptions,
  watch: Watch = {},
): Promise<SegmentReport> {
  // Wrong names are told before any work.
  encodersFor(formatsFor(options, false));
  const clock = new Stopwatch();
  const out = await OutputFolder.create(options.outFolder, {
    overwrite: options.overwrite,
    stem: options.stem ?? 'segmentation',
  });
  try {
    const selected = await load(input, bundle, options, watch, clock);
    const encoders = encodersFor(formatsFor(options, selected.reference !== undefined));
    const run = await predict(bundle, selected.input, options, watch);
    clock.lap('model');
    if (run.prediction.kind !== 'segmentation')
      throw new SegmentError('no-segmentation', `The model ${bundle.name}:${bundle.version} segments nothing`, {
        next: 'Use it for classification, or choose a model that segments.',
      });
    const provenance = provenanceOf(bundle, options);
    const [first] = selected.input.channels;
    const result: SegmentationResult = {
      segmentation: run.prediction.segmentation,
      image: first.volume,
      modality: first.modality,
      units: first.units,
      reference: selected.reference,
      provenance,
    };
    const now = options.now ?? new Date();
    const proofs: Proof[] = [];
    const encodeOptions: EncodeOptions = {
      ...options,
      now,
      uid: options.uid ?? uidsOf(provenance.runUID),
      signal: watch.signal,
      proofs,
    };
    for (const [n, encoder] of encoders.entries()) {
      watch.signal?.throwIfAborted();
      watch.progress?.(n, encoders.length, `write ${encoder.format}`);
      const files = await encoder.encode(result, encodeOptions);
      clock.lap('encode');
      const proof = await encoder.prove?.(files, result);
      clock.lap('prove');
      if (proof && options.requireExact) requireExact(proof);
      if (proof) proofs.push(proof);
      for (const { name, bytes } of files) await out.write(name, bytes);
      clock.lap('write');
    }
    if (proofs.length > 0) {
      const text = JSON.stringify({ kind: 'proofs', provenance, proofs }, null, 2);
      await out.write(`${options.stem ?? 'segmentation'}.proof.json`, Buffer.from(`${text}\n`));
    }
    const structures = structureTable(result.segmentation, result.image, proofs);
    watch.signal?.throwIfAborted();
    const files = await out.commit();
    clock.lap('write');
    watch.progress?.(encoders.length, encoders.length, 'done');
    return {
      kind: 'segment-report',
      provenance,
      createdAt: now.toISOString(),
      input: describeInput(selected, first.volume),
      structures,
      proofs,
      exact: proofs.every(({ exact }) => exact),
      findings: selected.findings,
      reasons: selected.reasons,
      files,
      milliseconds: clock.total(),
      peakMemoryBytes: Math.max(run.peakMemoryBytes ?? 0, process.resourceUsage().maxRSS * 1024),
    };
  } catch (error) {
    await out.discard();
    throw error;
  }
}

function formatsFor({ formats }: SegmentOptions, dicom: boolean): string[] {
  const wanted = formats === 'default' ? [formats] : formats;
  return wanted.flatMap((format) => (format === 'default' ? (dicom ? DICOM_FORMATS : IMAGE_FORMATS) : [format]));
}

async function load(
  input: string | Uint8Array,
  bundle: Bundle,
  options: SegmentOptions,
  watch: Watch,
  clock: Stopwatch,
): Promise<SelectedChannels> {
  const { intakeLimits: limits, expect, uniqueNames } = options;
  const oneChannel = bundle.isocenter.channels.length === 1;
  const study = await openStudy(input, { limits, expect, uniqueNames: uniqueNames && oneChannel }, watch);
  try {
    clock.lap('open');
    const selected = await selectChannels(study, bundle, options.wish, watch);
    checkInput(bundle, selected.input);
    clock.lap('load');
    return selected;
  } finally {
    await study.close();
  }
}

async function predict(
  bundle: Bundle,
  input: ModelInput,
  options: SegmentOptions,
  watch: Watch,
): Promise<{ prediction: Prediction; peakMemoryBytes?: number }> {
  const where = options.process ?? (builtinTargetOf(bundle) ? 'this' : 'child');
  if (where === 'child') return runBundleInChild(bundle, input, options.limits ?? {}, watch);
  return { prediction: await runBundle(bundle, input, watch, options.run) };
}

function provenanceOf(bundle: Bundle, options: SegmentOptions): Provenance {
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

/** UIDs in the order of asking, all from the run's. */
function uidsOf(runUID: string): () => string {
  let n = 0;
  return () => uidFrom(`isocenter ${runUID} object ${++n}`);
}

function describeInput(selected: SelectedChannels, grid: { size: readonly number[]; affine: readonly number[] }) {
  return {
    channels: selected.input.channels.map(({ name, modality, units }) => ({ name, modality, units })),
    size: grid.size,
    spacing: spacingOf(grid.affine),
    /** Direction in which i, j and k grow. */
    axes: axisCodesOf(grid.affine),
    SeriesInstanceUID: selected.reference?.SeriesInstanceUID,
  };
}
