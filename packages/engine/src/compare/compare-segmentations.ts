/** Metrics per structure between two segmentations, whatever files they came from. */

import type { ReferenceSeries } from '@isocenter/dicom';
import {
  compareMasks,
  directionsOf,
  dot,
  type Grid,
  type MaskComparison,
  maskOf,
  type Segmentation,
  type Watch,
} from '@isocenter/volume';
import type { ReadStructures } from '../structures/read-structures.js';
import { StructuresError } from '../structures/structures-error.js';
import { type Alignment, alignToGrid } from './align.js';
import { matchNames } from './match-names.js';

export interface StructureComparison extends MaskComparison {
  readonly a: string;
  readonly b: string;
}

export interface Comparison {
  readonly kind: 'comparison';
  readonly grid: Grid;
  /** How the second was brought onto the grid of the first. */
  readonly alignment: Alignment;
  readonly structures: readonly StructureComparison[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  readonly notes: readonly string[];
}

export interface CompareOptions extends Watch {
  /** Grid for contours, and for everything else that can be matched to it. */
  readonly reference?: ReferenceSeries;
  readonly names?: readonly (readonly [string, string])[];
  readonly fill?: 'even-odd' | 'union';
}

/**
 * Compares the structures of `a` (taken as the measured) with those of `b` (the reference of directed measures). Contours are
 * filled on the reference images, or else on the grid of the other input. Throws StructuresError `needs-reference` when neither is there.
 */
export function compareStructures(a: ReadStructures, b: ReadStructures, options: CompareOptions = {}): Comparison {
  const { reference } = options;
  if (a.needsGrid && b.needsGrid && !reference)
    throw new StructuresError('needs-reference', 'Both inputs are contours, which have no voxels of their own', {
      next: 'Name the images they were drawn on with --reference.',
    });
  const first =
    a.needsGrid && !reference ? undefined : a.place(a.needsGrid || a.origin === 'SEG' ? reference : undefined, options);
  const second = b.place(
    b.needsGrid || b.origin === 'SEG' ? (reference ?? (b.needsGrid ? first?.segmentation.grid : undefined)) : undefined,
    options,
  );
  const placedA = first ?? a.place(second.segmentation.grid, options);
  const { segmentation, alignment } = alignToGrid(second.segmentation, placedA.segmentation.grid);
  return {
    ...compareSegmentations(placedA.segmentation, segmentation, options),
    alignment,
    notes: [...placedA.notes, ...second.notes, ...leaningNotes(placedA.segmentation.grid)],
  };
}

/** Cosine of 89.9 degrees: below this no distance changes by a thousandth. */
const RIGHT_ANGLE = 0.0017;

/** Surface distances are measured along right-angled axes (an exact transform needs them); volumes and overlaps are not touched. */
function leaningNotes({ affine }: Grid): readonly string[] {
  const [i, j, k] = directionsOf(affine);
  const most = Math.max(Math.abs(dot(i, j)), Math.abs(dot(j, k)), Math.abs(dot(i, k)));
  if (most < RIGHT_ANGLE) return [];
  const degrees = ((Math.asin(most) * 180) / Math.PI).toFixed(1);
  return [
    `The axes lean by ${degrees}° (gantry tilt); HD, HD95 and mean distance are taken as if they stood at right angles. Resample for exact ones.`,
  ];
}

/** Both on one grid. */
function compareSegmentations(
  a: Segmentation,
  b: Segmentation,
  options: CompareOptions,
): Omit<Comparison, 'alignment' | 'notes'> {
  const { pairs, onlyA, onlyB } = matchNames(a, b, options.names);
  const voxels = a.layers[0].data.length;
  const maskA = new Uint8Array(voxels);
  const maskB = new Uint8Array(voxels);
  const structures = pairs.map((pair, n): StructureComparison => {
    options.signal?.throwIfAborted();
    options.progress?.(n, pairs.length, 'comparing');
    return { a: pair.a.name, b: pair.b.name, ...compareMasks(maskOf(a, pair.a, maskA), maskOf(b, pair.b, maskB)) };
  });
  return { kind: 'comparison', grid: a.grid, structures, onlyA, onlyB };
}
