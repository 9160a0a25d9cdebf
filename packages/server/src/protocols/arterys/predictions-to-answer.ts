/**
 * What a model that classifies or measures said, as an Arterys answer without parts: by series, and by image where the model
 * looked at each by itself. Numbers are text, as upstream's own classifier gives them (specs/protocols.md 4.5).
 */
import type { PredictReport, StudyPrediction } from '@isocenter/engine';
import type { HandlerAnswer } from './handler.js';
import type { Json } from './json-text.js';

export interface PredictionTask {
  /** `name:version`. */
  readonly model: string;
  readonly predictions: readonly Omit<StudyPrediction, 'input'>[];
  readonly answer: PredictReport['answer'];
}

type Said = Readonly<Record<string, Json>>;

/** Four places tell probabilities apart; a measured value keeps what a float32 holds. */
const PROBABILITY_PLACES = 4;
const VALUE_DIGITS = 6;

export function predictionsToAnswer({ model, predictions, answer }: PredictionTask): HandlerAnswer {
  const bySeries = new Map<string, PredictionTask['predictions']>();
  for (const prediction of predictions) {
    const series = prediction.SeriesInstanceUID ?? '';
    bySeries.set(series, [...(bySeries.get(series) ?? []), prediction]);
  }
  const [only] = predictions;
  const summary = predictions.length === 1 && only ? said(only) : { images: predictions.length };
  return {
    json: {
      protocol_version: '1.0',
      parts: [],
      series_ml_json: Object.fromEntries([...bySeries].map(([uid, of]) => [uid, ofSeries(of)])),
      study_ml_json: { model, task: answer, ...summary },
    },
    parts: [],
  };
}

/** One prediction is about the series, or its only image; several are about the image that each names. */
function ofSeries(predictions: PredictionTask['predictions']): Said {
  const [first, ...others] = predictions;
  if (first && others.length === 0) {
    const { images = [] } = first;
    return { ...said(first), ...(images.length === 1 ? { SOPInstanceUID: images[0]!.SOPInstanceUID } : {}) };
  }
  const images = new Map<string, Said>();
  for (const prediction of predictions) {
    // Tiles of a mosaic have one UID.
    const key = imageKey(prediction);
    images.set(images.has(key) ? `${key} (${images.size + 1})` : key, said(prediction));
  }
  return { images: Object.fromEntries(images) };
}

function imageKey({ images }: PredictionTask['predictions'][number]): string {
  const { SOPInstanceUID = '', frameNumber } = images?.[0] ?? {};
  return frameNumber === undefined ? SOPInstanceUID : `${SOPInstanceUID} frame ${frameNumber}`;
}

function said({ classes = [], values = [] }: PredictionTask['predictions'][number]): Said {
  const lines = [
    ...classes.map(({ name, probability }) => ({
      name,
      number: probability,
      text: String(Number(probability.toFixed(PROBABILITY_PLACES))),
    })),
    ...values.map(({ name, value, unit }) => {
      const text = String(Number(value.toPrecision(VALUE_DIGITS)));
      return { name, number: value, text: unit === undefined ? text : `${text} ${unit}` };
    }),
  ];
  // Of classes the likeliest; measured values have no order but their own.
  const best = classes.length > 0 ? lines.reduce((most, line) => (line.number > most.number ? line : most)) : lines[0];
  const names = new Set<string>();
  const nested = lines.map(({ name, text }, n): [string, string] => {
    const own = names.has(name) ? `${name} (${n + 1})` : name;
    names.add(own);
    return [own, text];
  });
  return { label: best?.name ?? '', value: best?.text ?? '', nested_labels: Object.fromEntries(nested) };
}
