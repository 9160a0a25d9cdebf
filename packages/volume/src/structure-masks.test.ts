import { describe, expect, it } from 'vitest';
import { IDENTITY_AFFINE } from './geometry.js';
import type { Structure } from './segmentation.js';
import { maskOf, SegmentationBuilder, structureVoxels } from './structure-masks.js';

const structure = (name: string): Structure => ({ name, colour: [255, 0, 0], interpretedType: 'ORGAN' });
const grid = { size: [4, 1, 1] as const, affine: IDENTITY_AFFINE };

describe('structures that share label maps', () => {
  it('keep every voxel, overlapping ones in layers of their own', () => {
    const masks = [
      [1, 1, 1, 1],
      [0, 1, 1, 0],
      [1, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    const builder = new SegmentationBuilder(grid);
    masks.forEach((mask, n) => {
      builder.add(structure(`s${n}`), mask);
    });
    const segmentation = builder.build();
    expect(segmentation.layers).toHaveLength(2);
    expect(segmentation.structures.map((s) => [...maskOf(segmentation, s).data])).toEqual(masks);
    expect(structureVoxels(segmentation)).toEqual([4, 2, 1, 0]);
  });

  it('refuses a mask of another size', () => {
    expect(() => new SegmentationBuilder(grid).add(structure('x'), [1, 0])).toThrow('2 voxels');
  });
});
