/** The child's part of `inspect`: engine's report, and of it only what cannot name a patient. */
import { inspectStudy, loadBundle, sayableModality } from '@isocenter/engine';
import type { InspectChore, Inspection } from './chore.js';

/** PS3.5 9.1. */
const UID = /^[0-9.]{1,64}$/;

export async function inspect({ inputPath, modelFolder }: InspectChore): Promise<Inspection> {
  const report = await inspectStudy(inputPath, modelFolder === undefined ? undefined : await loadBundle(modelFolder));
  const { choice } = report;
  return {
    series: report.series.map(({ title: _, SeriesDescription: __, findings, ...series }) => ({
      ...series,
      // Both are text of the file, which may be anything that somebody typed.
      Modality: sayableModality(series.Modality),
      SeriesInstanceUID: UID.test(series.SeriesInstanceUID) ? series.SeriesInstanceUID : 'no UID',
      findings: findings.map(({ kind, message }) => ({ kind, message })),
    })),
    images: report.images.map(({ name: _, ...image }) => image),
    objects: report.objects.map(({ kind, SOPInstanceUID }) => ({ kind, SOPInstanceUID })),
    ignored: report.ignored.length,
    refused: report.refused.map(({ name: _, ...refusal }) => refusal),
    ...(choice ? { choice } : {}),
  };
}
