/** A segmentation report as text: the table of structures, how each export was proven, what was written. */
import type { SegmentReport } from '@isocenter/engine';
import { findingLines } from './finding-lines.js';
import { formatSeconds } from './progress-bar.js';
import { table } from './table.js';

export function segmentText(report: SegmentReport): string {
  const { structures, input, provenance, findings, reasons, proofs, milliseconds } = report;
  const rows = structures.map(({ name, voxels, ml, contours, mean, proof }) => [
    name,
    voxels,
    ml.toFixed(1),
    contours,
    mean === undefined ? '–' : mean.toFixed(0),
    proof === 'none' ? 'not proven' : proof,
  ]);
  const units = input.channels[0]?.units;
  const lines = [
    `${provenance.modelName}:${provenance.modelVersion} on ${input.size.join(' × ')} voxels of ${input.spacing.map((mm) => Number(mm.toFixed(3))).join(' × ')} mm, axes ${input.axes}`,
    '',
    table(
      ['structure', 'voxels', 'ml', 'contours', units && units !== 'arbitrary' ? `mean ${units}` : 'mean', 'proof'],
      rows,
    ),
    '',
  ];
  for (const reason of reasons) lines.push(`Series: ${reason}`);
  lines.push(...findingLines(findings));
  const empty = structures.filter(({ voxels }) => voxels === 0).map(({ name }) => name);
  if (empty.length > 0) lines.push(`Warning: Nothing was found of ${empty.join(', ')}.`);
  for (const { object, exact, reader, structures: proven } of proofs) {
    const changed = proven.reduce((sum, { missing, extra }) => sum + missing + extra, 0);
    lines.push(`Proof of ${object}: ${exact ? 'every voxel reads back' : `${changed} voxels differ`} (${reader}).`);
  }
  lines.push('', ...report.files.map((file) => `  ${file}`), '');
  const total = milliseconds.total ?? 0;
  const steps = Object.entries(milliseconds).filter(([step]) => step !== 'total');
  lines.push(
    `${formatSeconds(total / 1000)} (${steps.map(([step, ms]) => `${step} ${formatSeconds(ms / 1000)}`).join(', ')}), peak memory ${Math.round(report.peakMemoryBytes / 2 ** 20)} MB`,
  );
  return lines.join('\n');
}
