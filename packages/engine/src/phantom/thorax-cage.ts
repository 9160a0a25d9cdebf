/** The inside of the rib cage: an ellipse in each slice, narrowing to the apex above and straight below the heart. */
const HALF_WIDTH = 132;
const HALF_DEPTH = 92;
/** Height above `WAIST_Z` at which the cage closes. */
const HEIGHT = 182;
const WAIST_Z = -35;

/** y of the middle of the cage at z: the apex leans back, as the spine does not and the breast bone does. */
export function cageCentre(z: number): number {
  return 2 + (z > 0 ? z * 0.2 : 0);
}

/** Share of the full width that the cage has at z, 0 above the apex. */
export function cageScale(z: number): number {
  if (z <= WAIST_Z) return 1;
  const t = (z - WAIST_Z) / HEIGHT;
  return t >= 1 ? 0 : Math.sqrt(1 - t * t);
}

/** Point of the inner surface, `outwards` mm outside it, at angle `phi` from the left side (0) to the back (π/2). */
export function cagePoint(phi: number, z: number, outwards: number): readonly [number, number, number] {
  const scale = cageScale(z);
  return [
    (HALF_WIDTH * scale + outwards) * Math.cos(phi),
    cageCentre(z) + (HALF_DEPTH * scale + outwards) * Math.sin(phi),
    z,
  ];
}

/** About the distance in mm to the inner surface, negative inside. */
export function cageDistance(x: number, y: number, z: number): number {
  const a = x / HALF_WIDTH;
  const b = (y - cageCentre(z)) / HALF_DEPTH;
  const c = z > WAIST_Z ? (z - WAIST_Z) / HEIGHT : 0;
  const near = Math.sqrt(a * a + b * b + c * c);
  const slope = Math.sqrt((a / HALF_WIDTH) ** 2 + (b / HALF_DEPTH) ** 2 + (c / HEIGHT) ** 2);
  return slope > 0 ? (near * (near - 1)) / slope : -HALF_DEPTH;
}
