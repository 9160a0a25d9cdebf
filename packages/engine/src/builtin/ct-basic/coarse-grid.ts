/**
 * A smaller copy of a CT with its axes along the patient's (x to the left, y to the back, z to the head), on which
 * ct-basic takes every decision that needs a look at the surroundings; edges are drawn later, voxel by voxel.
 * Each cell is the mean of a block of voxels, which also calms the noise.
 */
import { orientationOf, type Size3, spacingOf, type Vector3, type Volume } from '@isocenter/volume';

/** Cells are about this wide: thin enough for bronchial walls, coarse enough to be quick. */
const CELL_MM = 2;

export interface CoarseGrid {
  /** Cells along x (left), y (back), z (head). */
  readonly size: Size3;
  /** Width of a cell in mm. */
  readonly cell: Vector3;
  /** Mean HU per cell, x fastest. */
  readonly hu: Int16Array;
  /** Cell of voxel (i, j, k) = ofColumn[i] + ofRow[j] + ofSlice[k]. */
  readonly ofColumn: Int32Array;
  readonly ofRow: Int32Array;
  readonly ofSlice: Int32Array;
}

/** Voxels of one cell in ml. */
export function cellVolumeMl({ cell }: CoarseGrid): number {
  return (cell[0] * cell[1] * cell[2]) / 1000;
}

/** Makes the copy; any orientation of the volume, oblique ones by their nearest axes. */
export function coarseGrid(volume: Volume): CoarseGrid {
  const spacing = spacingOf(volume.affine);
  const { axis, negative } = orientationOf(volume.affine);
  const size: [number, number, number] = [1, 1, 1];
  const cell: [number, number, number] = [1, 1, 1];
  const block = spacing.map((mm) => Math.max(1, Math.round(CELL_MM / mm)));
  axis.forEach((patientAxis, voxelAxis) => {
    size[patientAxis] = Math.ceil(volume.size[voxelAxis] / block[voxelAxis]);
    cell[patientAxis] = block[voxelAxis] * spacing[voxelAxis];
  });
  const strides = [1, size[0], size[0] * size[1]];
  const tables = axis.map((patientAxis, voxelAxis) => {
    const n = volume.size[voxelAxis];
    return Int32Array.from({ length: n }, (_, index) => {
      const along = negative[voxelAxis] ? n - 1 - index : index;
      return Math.floor(along / block[voxelAxis]) * strides[patientAxis];
    });
  });
  const hu = meanPerCell(volume, tables, size[0] * size[1] * size[2]);
  return { size, cell, hu, ofColumn: tables[0], ofRow: tables[1], ofSlice: tables[2] };
}

function meanPerCell(volume: Volume, [column, row, slice]: Int32Array[], cells: number): Int16Array {
  const { data, size } = volume;
  const [ni, nj, nk] = size;
  const sum = new Float32Array(cells);
  const count = new Uint16Array(cells);
  for (let k = 0, at = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      const base = row[j] + slice[k];
      for (let i = 0; i < ni; i++, at++) {
        sum[base + column[i]] += data[at];
        count[base + column[i]]++;
      }
    }
  const hu = new Int16Array(cells);
  for (let c = 0; c < cells; c++) hu[c] = Math.round(Math.min(Math.max(sum[c] / count[c], -32000), 32000));
  return hu;
}
