/**
 * The main job in one call: open the study, choose its series, run the model, encode, prove, and put the files in their
 * place, all or none. What a command line or a server shows stands in the report.
 */
import { uidFrom } from '@isocenter/dicom';
import { OutputFolder } from '@isocenter/formats';
import { Failure, type HoleMode, type Watch } from '@isocenter/volume';
import { looksAtGridOnly } from './builtin/looks-at-grid-only.js';
import { answerKindOf } from './bundle/answer-kind.js';
import type { Bundle } from './bundle/bundle.js';
import { checkInput } from './bundle/check-input.js';
import type { EncodeOptions, Encoder, SegmentationResult } from './encoders/encoder.js';
import { encodersFor } from './encoders/encoders.js';
import { structureTable } from './encoders/structure-table.js';
import { type SelectedChannels, selectChannels } from './intake/select-channels.js';
import { type Proof, requireExact } from './proof/proof.js';
import type { SegmentReport } from './segment-report.js';
import { Stopwatch } from './stopwatch.js';
import { askModel, describeInput, openStudyFor, peakOf, provenanceOf, type StudyRunOptions } from './study-run.js';

export interface SegmentOptions extends StudyRunOptions {
  /** 'rtstruct', 'seg', 'nifti', 'nrrd', 'png', 'csv', 'sr', 'sc', 'masks'; 'default', alone or in the list, is what suits the input. */
  readonly formats: readonly string[] | 'default';
  readonly outFolder: string;
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
  /** A new UID at each call; default: derived from the run's UID, in the order of writing. */
  readonly uid?: () => string;
}

export class SegmentError extends Failure<'no-segmentation' | 'needs-values'> {}

/** What is written when nothing is asked for. */
const DICOM_FORMATS = ['rtstruct', 'seg', 'png', 'csv'];
const IMAGE_FORMATS = ['nifti', 'png', 'csv'];

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
  const wanted = encodersFor(formatsFor(options, false));
  if (options.gridOnly) checkGridOnly(bundle, wanted);
  if (answerKindOf(bundle) !== 'segmentation') throw segmentsNothing(bundle);
  const clock = new Stopwatch();
  const out = await OutputFolder.create(options.outFolder, {
    overwrite: options.overwrite,
    durable: options.durable,
    stem: options.stem ?? 'segmentation',
  });
  try {
    const selected = await load(input, bundle, options, watch, clock);
    const encoders = encodersFor(formatsFor(options, selected.reference !== undefined));
    const run = await askModel(bundle, selected.input, options, watch);
    clock.lap('model');
    if (run.prediction.kind !== 'segmentation') throw segmentsNothing(bundle);
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
    const structures = structureTable(result.segmentation, options.gridOnly ? undefined : result.image, proofs);
    watch.signal?.throwIfAborted();
    const files = await out.commit();
    clock.lap('write');
    watch.progress?.(encoders.length, encoders.length, 'done');
    return {
      kind: 'segment-report',
      provenance,
      createdAt: now.toISOString(),
      input: describeInput(selected.input, selected.reference?.SeriesInstanceUID),
      structures,
      proofs,
      exact: proofs.every(({ exact }) => exact),
      findings: selected.findings,
      reasons: selected.reasons,
      files,
      milliseconds: clock.total(),
      peakMemoryBytes: peakOf(run.peakMemoryBytes),
    };
  } catch (error) {
    await out.discard();
    throw error;
  }
}

function segmentsNothing(bundle: Bundle): SegmentError {
  return new SegmentError('no-segmentation', `The model ${bundle.name}:${bundle.version} segments nothing`, {
    where: `its answer is a ${answerKindOf(bundle)}`,
    next: 'Ask it with `isocenter predict`, or choose a model that segments.',
  });
}

function checkGridOnly(bundle: Bundle, encoders: readonly Encoder[]): void {
  if (looksAtGridOnly(bundle) && encoders.every(({ format }) => format === 'masks')) return;
  throw new SegmentError(
    'needs-values',
    'Without the values of the voxels only masks of models that look at the grid alone can be made',
    {
      where: `model ${bundle.name}:${bundle.version}`,
      next: 'Give the whole image.',
    },
  );
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
  const study = await openStudyFor(bundle, input, options, watch);
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

/** UIDs in the order of asking, all from the run's. */
function uidsOf(runUID: string): () => string {
  let n = 0;
  return () => uidFrom(`isocenter ${runUID} object ${++n}`);
}
