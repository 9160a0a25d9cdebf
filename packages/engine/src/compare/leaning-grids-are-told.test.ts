/** Promise: whoever reads distances measured on a sheared grid is told so; right-angled grids, oblique ones too, say nothing. */
import { type Affine, makeVolume, type Segmentation } from '@isocenter/volume';
import { expect, it } from 'vitest';
import type { ReadStructures } from '../structures/read-structures.js';
import { compareStructures } from './compare-segmentations.js';

const size = [4, 4, 4] as const;

function placed(affine: Affine): ReadStructures {
  const segmentation: Segmentation = {
    kind: 'segmentation',
    grid: { size, affine },
    layers: [makeVolume(new Uint8Array(64).fill(1), size, affine)],
    structures: [{ name: 'All', colour: [1, 2, 3], interpretedType: '', layer: 0, label: 1 }],
  };
  return {
    kind: 'read-structures',
    origin: 'masks',
    needsGrid: false,
    referencedSeriesUIDs: [],
    place: () => ({ segmentation, notes: [] }),
  };
}

it('a gantry tilt is told with its angle', () => {
  const t = (18.5 * Math.PI) / 180;
  const one = placed([1, 0, 0, 0, 0, Math.cos(t), 0, 0, 0, -Math.sin(t), 4, 0, 0, 0, 0, 1]);
  expect(compareStructures(one, one).notes).toEqual([expect.stringContaining('18.5°')]);
});

it('a turned grid with right angles is not', () => {
  const c = Math.cos(0.3);
  const s = Math.sin(0.3);
  const one = placed([1, 0, 0, 0, 0, c, -3 * s, 0, 0, s, 3 * c, 0, 0, 0, 0, 1]);
  expect(compareStructures(one, one).notes).toEqual([]);
});
