/** Bones of the phantom's chest: vertebrae with arches, twelve pairs of ribs, breast bone, collar bones, shoulder blades, upper arms. */
import type { Vector3 } from '@isocenter/volume';
import type { Material, Paint } from './canvas.js';
import { capsule, ellipsoid, shape } from './shapes.js';
import { cageCentre, cagePoint, cageScale } from './thorax-cage.js';

export const THORAX_BONE = 3;

const CORTEX_MM = 1.6;
/** Dense shell, spongy core. */
export const boneMaterial: Material = (x, y, z, depth) =>
  depth < CORTEX_MM ? 720 : 250 + 40 * Math.sin(x * 0.9) * Math.sin(y * 0.8 + z * 0.5);

const bone = (what: Paint['shape']): Paint => ({ shape: what, material: boneMaterial, label: THORAX_BONE });

const VERTEBRA_PITCH = 26;
const TOP_VERTEBRA = 8;
const BOTTOM_VERTEBRA = -12;

function vertebra(z: number): Paint[] {
  const body = ellipsoid([0, 64, 0], [18, 14, 1e6]);
  return [
    bone(
      shape([-19, 49, z - 11], [19, 79, z + 11], (x, y, pz) =>
        Math.max(body.distance(x, y, 0), Math.abs(pz - z) - 10.5),
      ),
    ),
    bone(
      shape([-17, 74, z - 8], [17, 106, z + 8], (x, y, pz) =>
        Math.max(Math.abs(Math.sqrt(x * x + (y - 88) * (y - 88)) - 11.5) - 2.4, 76 - y, Math.abs(pz - z) - 8),
      ),
    ),
    bone(capsule([0, 100, z], [0, 109, z - 13], 3.4)),
    bone(capsule([13, 88, z], [33, 95, z + 2], 3.8)),
    bone(capsule([-13, 88, z], [-33, 95, z + 2], 3.8)),
  ];
}

const RIBS = 11;
const RIB_STEPS = 22;

/** One rib: from the spine around the side and down towards the front. */
function rib(top: number, side: 1 | -1): Paint[] {
  const at = (t: number): Vector3 => {
    const phi = (78 - 128 * t) * (Math.PI / 180);
    const drop = 62 * t * t * (3 - 2 * t);
    const [x, y, z] = cagePoint(phi, top - drop, 4.2);
    return [side * x, y, z];
  };
  const paint: Paint[] = [];
  for (let n = 0; n < RIB_STEPS; n++) paint.push(bone(capsule(at(n / RIB_STEPS), at((n + 1) / RIB_STEPS), 4.3)));
  return paint;
}

/** In front of the cage, following it; the lower end is the sword-shaped process. */
function breastBone(): Paint {
  const front = (z: number) => cageCentre(z) - 92 * cageScale(z) - 6;
  return bone(
    shape([-20, -100, -72], [20, 0, 104], (x, y, z) =>
      Math.max(Math.abs(x) - 17, Math.abs(y - front(z)) - 4.6, z - 98, -66 - z),
    ),
  );
}

/** Every bone, to be painted over the soft parts. */
export function thoraxBones(): Paint[] {
  const paint: Paint[] = [];
  const disc = ellipsoid([0, 64, 0], [17, 13, 1e6]);
  paint.push({ shape: shape([-18, 50, -330], [18, 78, 330], (x, y) => disc.distance(x, y, 0)), material: 75 });
  for (let n = BOTTOM_VERTEBRA; n <= TOP_VERTEBRA; n++) paint.push(...vertebra(n * VERTEBRA_PITCH));
  for (let n = 0; n < RIBS; n++) paint.push(...rib(112 - n * 22, 1), ...rib(112 - n * 22, -1));
  paint.push(breastBone());
  for (const side of [1, -1] as const) {
    paint.push(bone(capsule([side * 14, -36, 108], [side * 138, 14, 130], 5.6)));
    paint.push(bone(ellipsoid([side * 98, 78, 66], [44, 4.5, 62], side * -0.48)));
    paint.push(bone(ellipsoid([side * 152, 40, 122], [22, 22, 24])));
  }
  return paint;
}
