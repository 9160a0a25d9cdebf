/** `isocenter compare A B`: metrics per structure between two files of any format. */
import { compareStructures, openReference, readStructures } from '@isocenter/engine';
import { Failure } from '@isocenter/volume';
import { exitCodes } from '../exit-codes.js';
import { printableLine } from '../output/printable.js';
import { table } from '../output/table.js';
import type { CommandContext } from '../program.js';

export interface CompareOptions {
  readonly a: string;
  readonly b: string;
  readonly reference?: string;
  readonly longestRun?: boolean;
  readonly names: readonly string[];
  readonly minDice?: number;
  readonly json?: boolean;
}

class UsageError extends Failure<'names'> {}

const alignments = {
  'same-grid': 'both lie on one grid',
  reoriented: 'the second was turned onto the grid of the first, without loss',
  resampled: 'the second was sampled at the nearest voxel of the grid of the first: small differences are due to that',
} as const;

export async function compareCommand(
  options: CompareOptions,
  { terminal, watch, endProgress }: CommandContext,
): Promise<number> {
  const names = options.names.map(splitNames);
  const a = await readStructures(options.a, watch);
  const b = await readStructures(options.b, watch);
  const reference = options.reference
    ? await openReference(options.reference, {
        ...watch,
        irregular: options.longestRun ? 'longest-run' : 'refuse',
        preferred: [...a.referencedSeriesUIDs, ...b.referencedSeriesUIDs],
      })
    : undefined;
  const comparison = compareStructures(a, b, { ...watch, names, reference });
  endProgress();
  const { structures, onlyA, onlyB, notes, alignment } = comparison;
  terminal.print(
    table(
      ['structure', 'Dice', 'HD mm', 'HD95 mm', 'mean distance mm', 'ml (first)', 'ml (second)'],
      structures.map((row) => [
        row.a === row.b ? row.a : `${row.a} = ${row.b}`,
        figure(row.dice, 4),
        figure(row.hausdorff, 2),
        figure(row.hausdorff95, 2),
        figure(row.averageSurfaceDistance, 2),
        figure(row.volumeMl, 1),
        figure(row.referenceVolumeMl, 1),
      ]),
    ),
  );
  terminal.print(`\nGrid: ${alignments[alignment]}.`);
  if (onlyA.length > 0) terminal.print(`Only in the first: ${onlyA.map(printableLine).join(', ')}`);
  if (onlyB.length > 0) terminal.print(`Only in the second: ${onlyB.map(printableLine).join(', ')}`);
  for (const note of notes) terminal.print(`Note: ${note}`);
  terminal.document(comparison);
  const low = options.minDice === undefined ? [] : structures.filter(({ dice }) => !(dice >= (options.minDice ?? 0)));
  if (low.length === 0) return exitCodes.ok;
  terminal.print(`\nBelow Dice ${options.minDice}: ${low.map(({ a: name }) => printableLine(name)).join(', ')}`);
  return exitCodes.proof;
}

/** Undefined distances (one mask empty) are shown as what they are. */
function figure(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : Number.isNaN(value) ? '–' : '∞';
}

function splitNames(text: string): [string, string] {
  const parts = text.split('=');
  if (parts.length !== 2 || parts.some((part) => part.trim() === ''))
    throw new UsageError('names', `'${text}' does not name two structures`, {
      next: 'Write it as first=second, e.g. --names Lung_L=Lung-Left.',
    });
  return [parts[0].trim(), parts[1].trim()];
}
