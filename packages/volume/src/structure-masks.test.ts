import { describe, expect, it } from 'vitest';
import { IDENTITY_AFFINE } from './geometry.js';
import type { Structure } from './segmentation.js';
import { maskOf, SegmentationBuilder, structureVoxels } from './structure-masks.js';
import { makeVolume } from './volume.js';

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

  it('are counted right for any length, in bytes and in words, wherever the array starts', () => {
    const labels = Array.from({ length: 23 }, (_, n) => (n < 9 ? 1 : n < 12 ? 0 : n % 3));
    const structures = [1, 2].map((label) => ({ ...structure(`s${label}`), layer: 0, label }));
    const expected = [1, 2].map((label) => labels.filter((value) => value === label).length);
    const shifted = new Uint8Array(24).subarray(1);
    shifted.set(labels);
    for (const data of [Uint8Array.from(labels), Uint16Array.from(labels), shifted]) {
      const layer = makeVolume(data, [23, 1, 1], IDENTITY_AFFINE);
      expect(structureVoxels({ kind: 'segmentation', grid: layer, layers: [layer], structures })).toEqual(expected);
    }
  });

  it('are cut out alike from bytes, words of bytes and wide labels', () => {
    const labels = Array.from({ length: 24 }, (_, n) => [0, 1, 1, 255, 254, 0, 0, 128][(n * 5) % 8]);
    const shifted = new Uint8Array(25).subarray(1);
    shifted.set(labels);
    for (const data of [Uint8Array.from(labels), Uint16Array.from(labels), shifted])
      for (const label of [0, 1, 128, 254, 255, 256]) {
        const layer = makeVolume(data, [24, 1, 1], IDENTITY_AFFINE);
        const of = { ...structure('s'), layer: 0, label };
        const mask = maskOf({ kind: 'segmentation', grid: layer, layers: [layer], structures: [of] }, of);
        expect([...mask.data]).toEqual(labels.map((value) => (value === label ? 1 : 0)));
      }
  });

  it('refuses a mask of another size', () => {
    expect(() => new SegmentationBuilder(grid).add(structure('x'), [1, 0])).toThrow('2 voxels');
  });
});
