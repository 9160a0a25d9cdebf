/**
 * Rings drawn a little inside of the voxel edges, for readers that round points to whole pixels and paint the border too
 * (OpenCV's fillPoly, and so rt-utils): such readers grow a contour that lies on voxel edges. Every edge still runs between
 * the same pixel centres, so readers that ask pixel centres see no difference; rounded, it runs over the border pixels of
 * the structure. Nothing touches any more either: channels open to twice the distance, diagonal touches part. The price is
 * that areas measured from the polygons are too small by the distance along the whole border.
 */
import { ContourError, type PlaneContours, type Ring } from './rings.js';

/**
 * Pixels. Small, so that areas stay within 0.2 % for a disc of 40 pixels across; yet far above what is lost in decimal
 * strings, in float32 readers and in files rounded to 0.01 mm, so that rounding always falls inside of the structure.
 */
export const INSET = 1 / 64;

function insetRing(ring: Ring, distance: number): Ring {
  const n = ring.length;
  const out = new Float64Array(n);
  for (let p = 0; p < n; p += 2) {
    const before = p === 0 ? n - 2 : p - 2;
    const after = p + 2 < n ? p + 2 : 0;
    const inI = Math.sign(ring[p] - ring[before]);
    const inJ = Math.sign(ring[p + 1] - ring[before + 1]);
    const outI = Math.sign(ring[after] - ring[p]);
    const outJ = Math.sign(ring[after + 1] - ring[p + 1]);
    if (Math.abs(inI) + Math.abs(inJ) !== 1 || Math.abs(outI) + Math.abs(outJ) !== 1)
      throw new ContourError('not-voxel-edges', 'A ring does not run along voxel edges', { where: `vertex ${p / 2}` });
    // The structure is on the side of +j when an edge runs along +i (orientation of PlaneContours).
    const straight = inI === outI && inJ === outJ;
    out[p] = ring[p] - distance * (straight ? inJ : inJ + outJ);
    out[p + 1] = ring[p + 1] + distance * (straight ? inI : inI + outI);
  }
  return out;
}

/**
 * Contours along voxel edges moved `distance` pixels (more than 0, less than 0.5) into the structure. The rings must be
 * those of tracePlane before it cuts them at diagonal touches, where each vertex has one pixel of the structure to move to.
 * Throws ContourError `not-voxel-edges`, and `too-far` for another distance.
 */
export function insetContours(contours: PlaneContours, distance: number): PlaneContours {
  if (!(distance > 0 && distance < 0.5))
    throw new ContourError('too-far', `An inset of ${distance} pixels is not between 0 and 0.5`, {
      next: `Give ${INSET}, or no inset for contours on voxel edges`,
    });
  return Object.freeze({ ...contours, rings: contours.rings.map((ring) => insetRing(ring, distance)) });
}
