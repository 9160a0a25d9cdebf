/** SEG objects written by dcmqi and highdicom give the label maps that were shipped with them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { differingInSpace, readNrrd, referenceFromFiles } from '../../../../tools/test/dicom-objects.js';
import { describeWithData } from '../../../../tools/test/needs.js';
import { parseDicom } from '../dataset/parse.js';
import { readSeg } from './read.js';
import { segFractions, segToSegmentation } from './to-segmentation.js';

const open = (path: string) => readSeg(parseDicom(readFileSync(path)));

describeWithData('dicom-stress/seg-sr-dcmqi', 'segmentations of dcmqi', (folder) => {
  const file = (name: string): string => join(folder, name);

  it('reads the liver and its meaning', async () => {
    const seg = await open(file('liver.dcm'));
    expect(seg.type).toBe('binary');
    expect(seg.segments.map(({ name, algorithmType }) => [name, algorithmType])).toEqual([['Liver', 'SEMIAUTOMATIC']]);
    const { layers, grid } = segToSegmentation(seg);
    expect(differingInSpace(readNrrd(file('liver_seg.nrrd')), { ...layers[0], ...grid })).toBe(0);
  });

  it('puts the liver on the slices it was drawn on, in any order of frames', async () => {
    const reference = referenceFromFiles(['01', '02', '03'].map((n) => readFileSync(file(`ct-3slice/${n}.dcm`))));
    const seg = await open(file('liver.dcm'));
    const straight = segToSegmentation(seg, reference);
    expect(differingInSpace(readNrrd(file('liver_seg.nrrd')), straight.layers[0])).toBe(0);
    const { rows, columns } = seg;
    const order = [2, 0, 1];
    const bytes = (rows * columns) / 8;
    const pixels = new Uint8Array(3 * bytes);
    order.forEach((from, to) => {
      pixels.set(seg.pixels.subarray(from * bytes, (from + 1) * bytes), to * bytes);
    });
    const shuffled = { ...seg, frames: order.map((n) => seg.frames[n]), pixels };
    const [a, b] = [segToSegmentation(shuffled, reference), straight].map(({ layers }) => Buffer.from(layers[0].data));
    expect(a.equals(b)).toBe(true);
  });

  it('reads overlapping segments into layers, each as its own label map says', async () => {
    const seg = await open(file('partial_overlaps.dcm'));
    const { layers, structures } = segToSegmentation(seg);
    expect(layers.length).toBeGreaterThan(1);
    const maps = [1, 2, 3].map((n) => readNrrd(file(`partial_overlaps-${n}.nrrd`)));
    for (const { layer, label, name } of structures) {
      const own = { ...layers[layer], data: layers[layer].data.map((value) => (value === label ? 1 : 0)) };
      const differences = maps.flatMap((map) => {
        const values = new Set(map.data);
        return [...values]
          .filter((v) => v > 0)
          .map((v) => differingInSpace({ ...map, data: map.data.map((x) => (x === v ? 1 : 0)) }, own));
      });
      expect(differences, name).toContain(0);
    }
  });

  it('reads frames that do not end on byte borders', async () => {
    const seg = await open(file('23x38x3/seg/label.seg'));
    expect((seg.rows * seg.columns) % 8).not.toBe(0);
    const { layers } = segToSegmentation(seg);
    expect(differingInSpace(readNrrd(file('23x38x3/nrrd/label.nrrd')), layers[0])).toBe(0);
  });

  it('reads a label map without padding value, empty slices left out', async () => {
    const seg = await open(file('sparse-labelmap-noppv.dcm'));
    expect(seg.type).toBe('labelmap');
    expect(seg.segments.map(({ number }) => number)).toEqual([1]);
    const { layers } = segToSegmentation(seg);
    expect(differingInSpace(readNrrd(file('sparse_labelmap_noppv_seg.nrrd')), layers[0])).toBe(0);
  });

  it('refuses a grid that is not that of the frames, saying which frame', async () => {
    const seg = await open(file('liver.dcm'));
    const { grid } = segToSegmentation(seg);
    const shifted = { ...grid, affine: grid.affine.map((value, n) => (n === 3 ? value + 0.5 : value)) };
    expect(() => segToSegmentation(seg, shifted)).toThrowError(
      expect.objectContaining({ kind: 'geometry', where: 'frame 1' }),
    );
  });
});

describeWithData('dicom-stress/seg-highdicom', 'segmentations of highdicom', (folder) => {
  it.each([
    ['seg_image_ct_binary.dcm', 'binary', 1],
    ['seg_image_ct_binary_overlap.dcm', 'binary', 2],
    ['seg_image_ct_binary_fractional.dcm', 'fractional', 1],
    ['seg_image_ct_true_fractional.dcm', 'fractional', 1],
  ] as const)('%s: type %s, %d layers', async (name, type, layers) => {
    const seg = await open(join(folder, name));
    expect(seg.type).toBe(type);
    const segmentation = segToSegmentation(seg);
    expect(segmentation.layers).toHaveLength(layers);
    expect(segmentation.layers[0].data.some((value) => value === 1)).toBe(true);
  });

  it('reads fractions between none and all', async () => {
    const seg = await open(join(folder, 'seg_image_ct_true_fractional.dcm'));
    const { data } = segFractions(seg, 1);
    expect(data.some((value) => value > 0 && value < 1)).toBe(true);
    expect(Math.max(...data)).toBeLessThanOrEqual(1);
  });

  it('reads the label map of a slide but gives it no place in a patient', async () => {
    const seg = await open(join(folder, 'seg_image_sm_control_labelmap.dcm'));
    expect(seg.frames).toHaveLength(20);
    expect(() => segToSegmentation(seg)).toThrowError(expect.objectContaining({ kind: 'geometry' }));
  });
});
