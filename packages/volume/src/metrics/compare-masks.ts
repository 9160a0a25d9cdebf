/** All measures of one mask against a reference on the same grid, at once. */
import { GeometryError, sameGrid, spacingOf } from '../geometry.js';
import type { Mask } from '../volume.js';
import { dice, jaccard, overlapOf, volumeInMl } from './overlap.js';
import { averageSurfaceDistance, hausdorff, surfaceDice, surfaceDistances } from './surface.js';

/** Distances in mm, volumes in ml. NaN: not defined (see the functions of metrics/). */
export interface MaskComparison {
  readonly voxels: number;
  readonly referenceVoxels: number;
  readonly voxelsInBoth: number;
  readonly volumeMl: number;
  readonly referenceVolumeMl: number;
  readonly dice: number;
  readonly jaccard: number;
  readonly hausdorff: number;
  readonly hausdorff95: number;
  /** Mean over both directions. */
  readonly averageSurfaceDistance: number;
  /** At `toleranceMm`. */
  readonly surfaceDice: number;
  readonly toleranceMm: number;
}

/** Compares `mask` with `reference`. Two empty masks agree (Dice 1). Throws GeometryError `size-mismatch` unless on one grid. */
export function compareMasks(mask: Mask, reference: Mask, toleranceMm = 2): MaskComparison {
  if (!sameGrid(mask, reference))
    throw new GeometryError('size-mismatch', 'The two masks do not lie on one grid', {
      next: "Resample one of them onto the other's grid with nearest interpolation first.",
    });
  const overlap = overlapOf(mask.data, reference.data);
  const distances = surfaceDistances(mask.data, reference.data, mask.size, spacingOf(mask.affine));
  return {
    voxels: overlap.a,
    referenceVoxels: overlap.b,
    voxelsInBoth: overlap.both,
    volumeMl: volumeInMl(overlap.a, mask.affine),
    referenceVolumeMl: volumeInMl(overlap.b, reference.affine),
    dice: dice(overlap, 'agreement'),
    jaccard: jaccard(overlap, 'agreement'),
    hausdorff: hausdorff(distances),
    hausdorff95: hausdorff(distances, 95),
    averageSurfaceDistance: averageSurfaceDistance(distances, true),
    surfaceDice: surfaceDice(distances, toleranceMm),
    toleranceMm,
  };
}
