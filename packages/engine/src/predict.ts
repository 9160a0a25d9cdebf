/**
 * The sibling of segmentStudy for models that classify or measure: open the study, choose what the model sees (its series, or
 * each image by itself), ask, and report numbers with the images that they are about.
 */

import { OutputFolder, writeCsv } from '@isocenter/formats';
import { Failure, type Watch } from '@isocenter/volume';
import { answerKindOf, looksAtSingleImages, takesFeatures } from './bundle/answer-kind.js';
import type { Bundle } from './bundle/bundle.js';
import { checkInput } from './bundle/check-input.js';
import type { Study } from './intake/open-study.js';
import { selectChannels } from './intake/select-channels.js';
import { type SingleImage, singleImages } from './intake/single-images.js';
import type { ModelInput } from './model-input.js';
import type { PredictReport, StudyPrediction } from './predict-report.js';
import type { Prediction } from './prediction.js';
import { Stopwatch } from './stopwatch.js';
import { askModel, describeInput, openStudyFor, peakOf, provenanceOf, type StudyRunOptions } from './study-run.js';

export const predictFormats = ['json', 'csv'] as const;
export type PredictFormat = (typeof predictFormats)[number];

export interface PredictOptions extends StudyRunOptions {
  /** Written to `outFolder`; default: nothing is written. */
  readonly formats?: readonly PredictFormat[];
  readonly outFolder?: string;
  /** File names without ending; default 'predictions'. */
  readonly stem?: string;
}

export type PredictErrorKind =
  /** The model answers masks. */
  | 'no-prediction'
  /** It takes a vector of numbers. */
  | 'takes-no-images'
  /** An answer is infinite or no number at all. */
  | 'not-finite';

export class PredictError extends Failure<PredictErrorKind> {}

/** What the model is shown at once, and how the report calls it. */
interface Shown {
  readonly about: Pick<StudyPrediction, 'SeriesInstanceUID' | 'images' | 'plane'>;
  load(watch: Watch): Promise<ModelInput>;
}

/**
 * Throws PredictError and what the stages throw (all Failures, or the abort reason); then nothing of the output is left
 * behind. `input`: path or bytes of a zip, tar, folder, DICOM, NIfTI or NRRD.
 */
export async function predictStudy(
  input: string | Uint8Array,
  bundle: Bundle,
  options: PredictOptions = {},
  watch: Watch = {},
): Promise<PredictReport> {
  const answer = answerOf(bundle);
  const { formats = [], outFolder, stem = 'predictions' } = options;
  const clock = new Stopwatch();
  const out =
    outFolder === undefined || formats.length === 0
      ? undefined
      : await OutputFolder.create(outFolder, { overwrite: options.overwrite, stem });
  try {
    const asked = await askAbout(input, bundle, answer, options, watch, clock);
    const report = {
      kind: 'predict-report',
      answer,
      provenance: provenanceOf(bundle, options),
      createdAt: (options.now ?? new Date()).toISOString(),
      predictions: asked.predictions,
      findings: asked.findings,
      reasons: asked.reasons,
    } as const;
    for (const format of new Set(formats)) {
      const text = format === 'csv' ? csvOf(report) : `${JSON.stringify(report, null, 2)}\n`;
      await out?.write(`${stem}.${format}`, Buffer.from(text));
    }
    watch.signal?.throwIfAborted();
    const files = (await out?.commit()) ?? [];
    clock.lap('write');
    watch.progress?.(1, 1, 'done');
    return { ...report, files, milliseconds: clock.total(), peakMemoryBytes: peakOf(asked.peakMemoryBytes) };
  } catch (error) {
    await out?.discard();
    throw error;
  }
}

interface Asked extends Pick<PredictReport, 'predictions' | 'findings' | 'reasons'> {
  readonly peakMemoryBytes: number;
}

async function askAbout(
  input: string | Uint8Array,
  bundle: Bundle,
  answer: PredictReport['answer'],
  options: PredictOptions,
  watch: Watch,
  clock: Stopwatch,
): Promise<Asked> {
  const study = await openStudyFor(bundle, input, options, watch);
  try {
    clock.lap('open');
    const { shown, findings, reasons } = await whatToShow(study, bundle, options, watch);
    const predictions: StudyPrediction[] = [];
    let peakMemoryBytes = 0;
    // Of many images each is a step; one volume tells its own.
    const inner = shown.length > 1 ? { signal: watch.signal } : watch;
    for (const [n, { about, load }] of shown.entries()) {
      watch.signal?.throwIfAborted();
      if (shown.length > 1) watch.progress?.(n, shown.length, 'network');
      const seen = await load(inner);
      checkInput(bundle, seen);
      clock.lap('load');
      const run = await askModel(bundle, seen, options, inner);
      clock.lap('model');
      peakMemoryBytes = Math.max(peakMemoryBytes, run.peakMemoryBytes ?? 0);
      predictions.push({
        ...about,
        input: describeInput(seen, about.SeriesInstanceUID),
        ...numbersOf(run.prediction, answer, bundle),
      });
    }
    return { predictions, findings, reasons, peakMemoryBytes };
  } finally {
    await study.close();
  }
}

async function whatToShow(
  study: Study,
  bundle: Bundle,
  { wish }: PredictOptions,
  watch: Watch,
): Promise<{ shown: readonly Shown[] } & Pick<PredictReport, 'findings' | 'reasons'>> {
  if (looksAtSingleImages(bundle)) {
    const { images, findings, reasons } = await singleImages(study, bundle, wish, watch);
    return { shown: images.map(oneImage), findings, reasons };
  }
  const { input, reference, findings, reasons } = await selectChannels(study, bundle, wish, watch);
  const images = reference?.slices.map(({ SOPInstanceUID, frameNumber }) => ({
    SOPInstanceUID,
    ...(frameNumber === undefined ? {} : { frameNumber }),
  }));
  const about = reference ? { SeriesInstanceUID: reference.SeriesInstanceUID, images } : {};
  return { shown: [{ about, load: async () => input }], findings, reasons };
}

function oneImage({ SeriesInstanceUID, image, plane, load }: SingleImage): Shown {
  return {
    about: {
      ...(SeriesInstanceUID === undefined ? {} : { SeriesInstanceUID }),
      ...(image ? { images: [image] } : {}),
      ...(plane === undefined ? {} : { plane }),
    },
    load,
  };
}

/** Refused before any image is read. */
function answerOf(bundle: Bundle): PredictReport['answer'] {
  const where = `model ${bundle.name}:${bundle.version}`;
  if (takesFeatures(bundle))
    throw new PredictError('takes-no-images', 'The model takes a vector of numbers, not images', { where });
  const answer = answerKindOf(bundle);
  if (answer !== 'segmentation') return answer;
  throw new PredictError('no-prediction', 'The model segments; it neither classifies nor measures', {
    where,
    next: 'Ask it with `isocenter segment`, or choose a model that classifies.',
  });
}

function numbersOf(
  prediction: Prediction,
  answer: PredictReport['answer'],
  bundle: Bundle,
): Pick<StudyPrediction, 'classes' | 'values'> {
  if (prediction.kind !== 'classification')
    throw new PredictError('no-prediction', 'The model answered masks where its metadata promises numbers', {
      where: `model ${bundle.name}:${bundle.version}`,
    });
  const { classes } = prediction;
  if (!classes.every(({ probability }) => Number.isFinite(probability)))
    throw new PredictError('not-finite', 'The model answered something that is no finite number', {
      where: `model ${bundle.name}:${bundle.version}`,
      next: 'Look whether the images are what it was made for: modality, units, size.',
    });
  if (answer === 'classification') return { classes };
  return {
    values: classes.map(({ name, probability: value }, n) => {
      const unit = bundle.isocenter.classes[n]?.unit;
      return { name, value, ...(unit === undefined ? {} : { unit }) };
    }),
  };
}

/** One line for each number of each image. */
function csvOf({ predictions, answer }: Pick<PredictReport, 'predictions' | 'answer'>): string {
  const heading = ['SeriesInstanceUID', 'SOPInstanceUID', 'frame', 'plane', 'name'];
  const lines = predictions.flatMap(({ SeriesInstanceUID, images, plane, classes = [], values = [] }) => {
    const only = images?.length === 1 ? images[0] : undefined;
    const place = [SeriesInstanceUID, only?.SOPInstanceUID, only?.frameNumber, plane];
    return answer === 'classification'
      ? classes.map(({ name, probability }) => [...place, name, probability])
      : values.map(({ name, value, unit }) => [...place, name, value, unit]);
  });
  return writeCsv([[...heading, ...(answer === 'classification' ? ['probability'] : ['value', 'unit'])], ...lines]);
}
