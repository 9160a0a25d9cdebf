/** What every encoder promises (encoder.ts), run by each of them. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { EncodedFile, Encoder, SegmentationResult } from './encoder.js';
import { encodeOptions, phantomResult } from './result.suite.js';

export interface EncoderExpectation {
  /** First bytes of the first file. */
  readonly starts: (bytes: Uint8Array) => boolean;
  readonly holdsVoxels: boolean;
}

export function encoderSuite(encoder: Encoder, expectation: EncoderExpectation): void {
  describe(`The ${encoder.format} encoder`, () => {
    let result: SegmentationResult;
    let files: readonly EncodedFile[];

    beforeAll(async () => {
      result = await phantomResult();
      files = await encoder.encode(result, encodeOptions());
    });

    it('writes files of its format under plain names', () => {
      expect(files.length).toBeGreaterThan(0);
      expect(expectation.starts(files[0].bytes)).toBe(true);
      for (const { name } of files) expect(name).toMatch(/^segmentation[A-Za-z0-9.-]*$/);
      expect(new Set(files.map(({ name }) => name)).size).toBe(files.length);
    });

    it('writes the same bytes for the same result, time and UIDs', async () => {
      const again = await encoder.encode(result, encodeOptions());
      expect(again.map(({ name }) => name)).toEqual(files.map(({ name }) => name));
      for (const [n, { bytes }] of again.entries()) expect(Buffer.compare(bytes, files[n].bytes)).toBe(0);
    });

    it('leaves the segmentation as it was', () => {
      expect(result.segmentation.structures[0].name).toBe('Body');
      expect(result.segmentation.layers[0].data.some((label) => label > 0)).toBe(true);
    });

    it(expectation.holdsVoxels ? 'proves that its bytes hold every voxel' : 'claims no proof', async () => {
      expect(encoder.prove !== undefined).toBe(expectation.holdsVoxels);
      if (!encoder.prove) return;
      const proof = await encoder.prove(files, result);
      expect(proof.exact).toBe(true);
      expect(proof.structures.map(({ name }) => name)).toEqual(result.segmentation.structures.map(({ name }) => name));
      for (const { voxels, readBack, dice } of proof.structures) {
        expect(voxels).toBeGreaterThan(0);
        expect(readBack).toBe(voxels);
        expect(dice).toBe(1);
      }
      expect(JSON.parse(JSON.stringify(proof))).toEqual(proof);
    });

    it('writes empty structures without failing', async () => {
      const { segmentation } = result;
      const layers = segmentation.layers.map((layer) => ({ ...layer, data: new Uint8Array(layer.data.length) }));
      const empty: SegmentationResult = { ...result, segmentation: { ...segmentation, layers } };
      const written = await encoder.encode(empty, encodeOptions());
      const proof = await encoder.prove?.(written, empty);
      expect(proof?.exact ?? true).toBe(true);
    });

    it(encoder.needsReference ? 'names other formats when the input is no DICOM' : 'needs no DICOM', async () => {
      const { reference: _, ...without } = result;
      const attempt = encoder.encode(without, encodeOptions());
      if (encoder.needsReference)
        await expect(attempt).rejects.toMatchObject({
          kind: 'needs-dicom',
          next: expect.stringMatching(/nifti.*nrrd/),
        });
      else expect((await attempt).length).toBe(files.length);
    });
  });
}
