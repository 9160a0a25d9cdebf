import { parseDicom, readRtstruct } from '@isocenter/dicom';
import { type HoleMode, makeVolume, type Segmentation } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import type { SegmentationResult } from '../encoders/encoder.js';
import { encoders } from '../encoders/encoders.js';
import { encodeOptions, phantomResult } from '../encoders/result.suite.js';
import { drawPhantom, makePhantom, type PhantomOptions } from '../phantom/make-phantom.js';
import { ProofError, requireExact } from './proof.js';
import { proveNifti, proveNrrd, proveSeg } from './prove-layers.js';
import { proveRtstruct } from './prove-rtstruct.js';

/** The segmentation with one voxel of the named structure taken away and one put elsewhere. */
function disturbed(segmentation: Segmentation, name: string): Segmentation {
  const { layer, label } = segmentation.structures.find((structure) => structure.name === name) ?? {
    layer: 0,
    label: 0,
  };
  const data = segmentation.layers[layer].data.slice();
  data[data.indexOf(label)] = 0;
  // The first voxel of the image is background in every phantom.
  data[0] = label;
  const layers = segmentation.layers.map((map, n) => (n === layer ? { ...map, data } : map));
  return { ...segmentation, layers };
}

const orientations: Record<string, PhantomOptions> = {
  axial: {},
  sagittal: { plane: 'sagittal' },
  coronal: { plane: 'coronal' },
  oblique: { tilt: [14, -9, 17] },
  flipped: { flipColumns: true, plane: 'coronal', flipRows: true },
  'with thin voxels': { spacing: [2.7, 3.1, 0.4] },
};

describe('The truth of a phantom comes back from the bytes', () => {
  for (const [name, options] of Object.entries(orientations))
    for (const holes of ['even-odd', 'keyhole', 'separate'] as const)
      it(`exactly from an RTSTRUCT, ${name}, holes as ${holes}`, async () => {
        const result = await phantomResult(options);
        const [{ bytes }] = await encoders.rtstruct.encode(result, { ...encodeOptions(), holes });
        const proof = proveRtstruct(bytes, result.segmentation);
        expect(proof.exact).toBe(true);
        for (const { voxels, dice, contours } of proof.structures)
          if (voxels > 0) {
            expect(dice).toBe(1);
            expect(contours).toBeGreaterThan(0);
          }
      });
});

/** A square ring of wall 3 around a hole of 6 × 6 with an island in it, in every slice. */
async function ringed(): Promise<SegmentationResult> {
  const result = await phantomResult({ size: [24, 24, 3], spacing: [2, 2, 5] });
  const data = new Uint8Array(24 * 24 * 3);
  for (let k = 0; k < 3; k++)
    for (let j = 0; j < 24; j++)
      for (let i = 0; i < 24; i++) {
        const d = Math.max(Math.abs(i - 11.5), Math.abs(j - 11.5));
        data[i + 24 * (j + 24 * k)] = d < 8 && (d > 3 || d < 1) ? 1 : 0;
      }
  const { size, affine } = result.segmentation.grid;
  const structures = [{ ...result.segmentation.structures[0], name: 'Ring' }];
  return {
    ...result,
    segmentation: {
      kind: 'segmentation',
      grid: { size, affine },
      layers: [makeVolume(data, size, affine)],
      structures,
    },
  };
}

describe('A proof says which readers see holes', () => {
  const kinds: Record<HoleMode, boolean> = { 'even-odd': false, keyhole: true, separate: true };
  for (const [holes, everyReader] of Object.entries(kinds))
    it(`in mode ${holes}: ${everyReader ? 'all kinds' : 'only those that fill a slice together'}`, async () => {
      const result = await ringed();
      const [{ bytes }] = await encoders.rtstruct.encode(result, { ...encodeOptions(), holes: holes as HoleMode });
      const proof = proveRtstruct(bytes, result.segmentation);
      expect(proof.exact).toBe(true);
      expect(proof.otherReaders?.map(({ exact }) => exact)).toEqual([everyReader, everyReader]);
      // The hole holds 6 × 6 pixels less the island of 2 × 2, in three slices.
      if (!everyReader)
        expect(proof.otherReaders?.[1].differing).toEqual([{ name: 'Ring', missing: 0, extra: 3 * (36 - 4) }]);
    });
});

describe('A proof finds one voxel', () => {
  it('in an RTSTRUCT, a SEG, a NIfTI and an NRRD', async () => {
    const result = await phantomResult();
    const { segmentation } = result;
    const other = disturbed(segmentation, 'Heart');
    const files = async (format: 'rtstruct' | 'seg' | 'nifti' | 'nrrd') =>
      encoders[format].encode(result, encodeOptions());
    const proofs = [
      proveRtstruct((await files('rtstruct'))[0].bytes, other),
      await proveSeg((await files('seg'))[0], other),
      await proveNifti((await files('nifti')).slice(0, 2), other),
      await proveNrrd((await files('nrrd'))[0], other),
    ];
    for (const proof of proofs) {
      expect(proof.exact, proof.object).toBe(false);
      for (const { name, missing, extra } of proof.structures)
        expect([name, missing, extra]).toEqual(name === 'Heart' ? ['Heart', 1, 1] : [name, 0, 0]);
      expect(() => requireExact(proof)).toThrow(ProofError);
      expect(() => requireExact(proof)).toThrow(/Heart \(1 voxels missing, 1 too many\)/);
    }
  });

  it('and refuses bytes that hold other structures', async () => {
    const result = await phantomResult();
    const [{ bytes }] = await encoders.rtstruct.encode(result, encodeOptions());
    const fewer = { ...result.segmentation, structures: result.segmentation.structures.slice(1) };
    expect(() => proveRtstruct(bytes, fewer)).toThrow(ProofError);
  });
});

describe('A slow twin agrees with the proof', () => {
  it('by asking every pixel centre whether it lies inside an odd number of the contours read back', async () => {
    const result = await phantomResult({ size: [36, 32, 8], spacing: [11, 11, 36], tilt: [5, 3, 8] });
    const { grid, structures, layers } = result.segmentation;
    const [{ bytes }] = await encoders.rtstruct.encode(result, encodeOptions());
    const set = readRtstruct(parseDicom(bytes));
    const proof = proveRtstruct(bytes, result.segmentation);
    const m = grid.affine;
    structures.forEach(({ layer, label }, n) => {
      let inside = 0;
      let wrong = 0;
      for (let k = 0, at = 0; k < grid.size[2]; k++)
        for (let j = 0; j < grid.size[1]; j++)
          for (let i = 0; i < grid.size[0]; i++, at++) {
            const p = [0, 4, 8].map((r) => m[r] * i + m[r + 1] * j + m[r + 2] * k + m[r + 3]);
            const odd = set.rois[n].contours.filter(({ points }) => encloses(points, p, m)).length % 2 === 1;
            if (odd) inside++;
            if (odd !== (layers[layer].data[at] === label)) wrong++;
          }
      expect(wrong).toBe(0);
      expect(proof.structures[n].readBack).toBe(inside);
    });
  });
});

/** Winding by angles in the slice's own axes; false when the contour lies in another slice. */
function encloses(points: Float64Array, p: readonly number[], m: readonly number[]): boolean {
  const along = (axis: number, x: number, y: number, z: number) =>
    m[axis] * (x - p[0]) + m[4 + axis] * (y - p[1]) + m[8 + axis] * (z - p[2]);
  if (Math.abs(along(2, points[0], points[1], points[2])) > 0.25 * (m[2] ** 2 + m[6] ** 2 + m[10] ** 2)) return false;
  let turn = 0;
  for (let a = 0; a < points.length; a += 3) {
    const b = (a + 3) % points.length;
    const from = Math.atan2(
      along(1, points[a], points[a + 1], points[a + 2]),
      along(0, points[a], points[a + 1], points[a + 2]),
    );
    const to = Math.atan2(
      along(1, points[b], points[b + 1], points[b + 2]),
      along(0, points[b], points[b + 1], points[b + 2]),
    );
    let step = to - from;
    if (step > Math.PI) step -= 2 * Math.PI;
    if (step < -Math.PI) step += 2 * Math.PI;
    turn += step;
  }
  return Math.abs(turn) > Math.PI;
}

describe('The phantom that was drawn is the one in the files', () => {
  it('so that its truth can be trusted', async () => {
    const options = { size: [40, 40, 4], spacing: [9, 9, 40] } as const;
    const made = await makePhantom(options);
    const drawn = drawPhantom(options);
    expect(made.segmentation.layers[1].data).toEqual(drawn.segmentation.layers[1].data);
  });
});
