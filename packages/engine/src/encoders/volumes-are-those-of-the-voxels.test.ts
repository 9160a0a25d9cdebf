/** Promise: volumes come from what a voxel truly holds, on grids that a tilted gantry sheared as well. */
import { type Affine, makeVolume, type Segmentation } from '@isocenter/volume';
import { expect, it } from 'vitest';
import { structureTable } from './structure-table.js';

it('a gantry tilt of 18.5 degrees makes slices closer than their positions are apart', () => {
  const tilt = (18.5 * Math.PI) / 180;
  const spacing = 4.22;
  // Rows along x, columns leaning by the tilt, table along z: the layout of the GE head study in dicom-stress.
  const affine: Affine = [
    0.5,
    0,
    0,
    0,
    0,
    0.5 * Math.cos(tilt),
    0,
    0,
    0,
    -0.5 * Math.sin(tilt),
    spacing,
    0,
    0,
    0,
    0,
    1,
  ];
  const size = [10, 10, 10] as const;
  const layer = makeVolume(new Uint8Array(1000).fill(1), size, affine);
  const segmentation: Segmentation = {
    kind: 'segmentation',
    grid: { size, affine },
    layers: [layer],
    structures: [{ name: 'All', colour: [1, 2, 3], interpretedType: '', layer: 0, label: 1 }],
  };
  const [row] = structureTable(segmentation, layer);
  expect(row.ml).toBeCloseTo(0.5 * 0.5 * spacing * Math.cos(tilt), 9);
});
