import { gzipSync } from 'node:zlib';
import { bufferSource, writeNifti, writeNrrd } from '@isocenter/formats';
import { makeVolume, maskOf } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { isMaskImage, readMaskImages } from './mask-images.js';

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const image = (...voxels: number[]) => makeVolume(Uint8Array.from(voxels), [voxels.length, 1, 1], IDENTITY);

async function read(...files: readonly (readonly [string, Uint8Array])[]) {
  const segmentation = await readMaskImages(files.map(([name, bytes]) => bufferSource(bytes, name)));
  return segmentation.structures.map((structure) => [structure.name, [...maskOf(segmentation, structure).data]]);
}

describe('structures of mask images', () => {
  it('are named by the header, empty segments and unnamed labels included', async () => {
    const keyValues: [string, string][] = [
      ['Segment0_Name', 'Liver'],
      ['Segment0_LabelValue', '2'],
      ['Segment0_Layer', '0'],
      ['Segment1_Name', 'Spleen'],
      ['Segment1_LabelValue', '3'],
      ['Segment1_Layer', '0'],
    ];
    expect(await read(['x.seg.nrrd', await writeNrrd(image(0, 2, 1, 2), { keyValues })])).toEqual([
      ['label 1', [0, 0, 1, 0]],
      ['Liver', [0, 1, 0, 1]],
      ['Spleen', [0, 0, 0, 0]],
    ]);
  });

  it('are named by their files where each file is one mask, whatever its value, an empty one too', async () => {
    const files = [
      ['b/Lung.nii.gz', await writeNifti(image(0, 5))],
      ['a/Heart.nii.gz', await writeNifti(image(1, 1))],
      ['c/Cyst.nrrd', await writeNrrd(image(0, 0))],
    ] as const;
    const expected = [
      ['Heart', [1, 1]],
      ['Lung', [0, 1]],
      ['Cyst', [0, 0]],
    ];
    expect(await read(...files)).toEqual(expected);
    expect(await read(...[...files].reverse())).toEqual(expected);
  });

  it('are numbered where one file holds several labels', async () => {
    expect((await read(['map.nii.gz', await writeNifti(image(1, 0, 7))])).map(([name]) => name)).toEqual([
      'label 1',
      'label 7',
    ]);
  });

  it('are refused on different grids and in images that are no masks', async () => {
    const a = ['a.nrrd', await writeNrrd(image(1, 0))] as const;
    await expect(read(a, ['b.nrrd', await writeNrrd(image(1, 0, 0))])).rejects.toMatchObject({
      kind: 'different-grids',
    });
    const ct = makeVolume(Int16Array.of(-1000, 40), [2, 1, 1], IDENTITY);
    await expect(read(['ct.nii.gz', await writeNifti(ct)])).rejects.toMatchObject({ kind: 'not-a-mask' });
  });
});

describe('a mask image', () => {
  it('is known by its bytes, gzipped under any name', async () => {
    const nifti = await writeNifti(image(1), { gzip: false });
    for (const [name, bytes] of [
      ['x', nifti],
      ['x.dat', gzipSync(nifti)],
      ['x.nii.gz', gzipSync(nifti)],
      ['x', await writeNrrd(image(1))],
    ] as const)
      expect(await isMaskImage(bufferSource(bytes, name))).toBe(true);
    for (const [name, bytes] of [
      ['x.nii', Buffer.from('no image')],
      ['x.gz', gzipSync('no image')],
    ] as const)
      expect(await isMaskImage(bufferSource(bytes, name))).toBe(false);
  });
});
