/** The conventions of geometry.ts, held to arithmetic done by hand. */
import { describe, expect, it } from 'vitest';
import {
  affineFrom,
  composeAffines,
  directionsOf,
  GeometryError,
  IDENTITY_AFFINE,
  indexToPatient,
  invertAffine,
  lpsToRas,
  originOf,
  sameGrid,
  spacingOf,
} from './geometry.js';

const c = Math.cos(0.3);
const s = Math.sin(0.3);
const oblique = affineFrom(
  [
    [c, s, 0],
    [-s, c, 0],
    [0, 0, 1],
  ],
  [0.7, 0.8, 2.5],
  [-100, 50, 12],
);

describe('an affine maps voxel centres to LPS millimetres', () => {
  it('puts voxel (0, 0, 0) at the origin and steps along the directions by the spacing', () => {
    expect(indexToPatient(oblique, 0, 0, 0)).toEqual([-100, 50, 12]);
    const p = indexToPatient(oblique, 1, 0, 0);
    expect(p[0]).toBeCloseTo(-100 + 0.7 * c, 12);
    expect(p[1]).toBeCloseTo(50 + 0.7 * s, 12);
    expect(indexToPatient(oblique, 0, 0, 3)[2]).toBeCloseTo(12 + 7.5, 12);
  });

  it('gives back spacing, directions and origin', () => {
    for (const [a, value] of spacingOf(oblique).entries()) expect(value).toBeCloseTo([0.7, 0.8, 2.5][a], 12);
    expect(directionsOf(oblique)[1][0]).toBeCloseTo(-s, 12);
    expect(originOf(oblique)).toEqual([-100, 50, 12]);
  });

  it('is undone by its inverse', () => {
    for (const [at, value] of composeAffines(invertAffine(oblique), oblique).entries())
      expect(value).toBeCloseTo(IDENTITY_AFFINE[at], 12);
  });

  it('changes between LPS and RAS by the signs of x and y, twice is nothing', () => {
    expect(indexToPatient(lpsToRas(oblique), 0, 0, 0)).toEqual([100, -50, 12]);
    expect(lpsToRas(lpsToRas(oblique))).toEqual(oblique);
  });

  it('cannot be inverted or have directions when axes coincide or vanish', () => {
    expect(() => invertAffine([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])).toThrow(GeometryError);
    expect(() => directionsOf([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])).toThrow(GeometryError);
  });
});

describe('sameGrid compares places of voxels, not numbers of the matrix', () => {
  it('allows a micrometre and refuses a shift, a size and a slow rotation', () => {
    const grid = { size: [512, 512, 100] as const, affine: oblique };
    const shifted = (d: number) => ({ ...grid, affine: oblique.map((v, at) => (at === 3 ? v + d : v)) });
    expect(sameGrid(grid, shifted(1e-4))).toBe(true);
    expect(sameGrid(grid, shifted(0.01))).toBe(false);
    expect(sameGrid(grid, { ...grid, size: [512, 511, 100] })).toBe(false);
    expect(sameGrid(grid, { ...grid, affine: oblique.map((v, at) => (at === 0 ? v + 1e-5 : v)) })).toBe(false);
  });
});
