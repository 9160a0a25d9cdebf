/** What a model said of a study as text: the numbers, image by image where it looked at each by itself. */
import type { PredictReport } from '@isocenter/engine';
import { findingLines } from './finding-lines.js';
import { formatSeconds } from './progress-bar.js';
import { table } from './table.js';

export function predictText(report: PredictReport): string {
  const { provenance, predictions, answer, reasons, findings, milliseconds } = report;
  const rows = predictions.flatMap(({ images, plane, classes = [], values = [] }, n) => {
    const only = images?.length === 1 ? images[0] : undefined;
    const image = only && `${only.SOPInstanceUID}${only.frameNumber === undefined ? '' : ` frame ${only.frameNumber}`}`;
    const about = image ?? (plane === undefined ? `${n + 1}` : `plane ${plane}`);
    return [
      ...classes.map(({ name, probability }) => [about, name, probability.toFixed(4)]),
      ...values.map(({ name, value, unit }) => [
        about,
        name,
        `${Number(value.toPrecision(6))}${unit ? ` ${unit}` : ''}`,
      ]),
    ];
  });
  const lines = [
    `${provenance.modelName}:${provenance.modelVersion} on ${predictions.length === 1 ? 'one volume or image' : `${predictions.length} images`}`,
    '',
    table(['about', 'name', answer === 'classification' ? 'probability' : 'value'], rows),
    '',
    ...reasons.map((reason) => `Series: ${reason}`),
    ...findingLines(findings),
    '',
    ...report.files.map((file) => `  ${file}`),
    '',
    `${formatSeconds((milliseconds.total ?? 0) / 1000)}, peak memory ${Math.round(report.peakMemoryBytes / 2 ** 20)} MB`,
  ];
  return lines.join('\n');
}
