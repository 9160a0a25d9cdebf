/**
 * Classical models (scikit-learn, XGBoost: operators of ai.onnx.ml) and small dense networks: a vector of numbers in, scores
 * out. Which numbers of an image they want is not written in them, so no study can be given to them; they are kept, checked
 * and named, and answer vectors only.
 */
import type { OnnxForm } from '../onnx-form.js';
import { RegistryError } from '../registry-error.js';
import { type FeaturePlan, wrongForm } from './bundle-plan.js';
import { CLASSICAL_DOMAIN, type OnnxPort, type OnnxSummary } from './read-onnx.js';

export function planFeatures(summary: OnnxSummary, input: OnnxPort, form: OnnxForm): FeaturePlan {
  const count = input.dims?.[1];
  if (form.kind === 'segmentation')
    throw wrongForm('kind', 'A model of feature vectors segments nothing', 'Say classification or regression');
  const number = typeof count === 'number' ? count : form.features?.length;
  if (number === undefined)
    throw wrongForm('features', 'The graph does not say how many features there are', 'Name them in `features`');
  if (form.features && form.features.length !== number)
    throw wrongForm(
      'features',
      `The form names ${form.features.length} features, the network takes ${number}`,
      'Name each one',
    );
  return {
    features: form.features ?? Array.from({ length: number }, (_, at) => `f${at}`),
    trial: [1, number],
    outputsOf({ answers, outputs }) {
      // Classifiers answer the label as well, as whole numbers or text; the scores are the float matrix.
      const scores = answers.at(-1);
      if (!scores)
        throw new RegistryError('unsupported-model', 'No output of the model is a float32 tensor', {
          where: outputs.map(({ name, type }) => `${name.slice(0, 64)}: ${type}`).join(', '),
          next: 'Export it with its scores as a float matrix: options={"zipmap": False}',
        });
      const channels = scores.dims.at(-1) ?? 1;
      const known = summary.operators.some((name) => name.startsWith(`${CLASSICAL_DOMAIN}.`))
        ? summary.classLabels
        : [];
      const names = form.classes ?? (known.length === channels ? known : defaultNames(form, channels));
      if (names.length !== channels)
        throw wrongForm(
          'classes',
          `The form names ${names.length} classes, the model answers ${channels} numbers`,
          'Name each one',
        );
      return { channels, names };
    },
  };
}

function defaultNames(form: OnnxForm, channels: number): string[] {
  return Array.from({ length: channels }, (_, at) => (form.kind === 'regression' ? `value ${at}` : `class ${at}`));
}

export function featureConfiguration(): object {
  return { network_def: { _target_: 'isocenter.OnnxNetwork' } };
}
