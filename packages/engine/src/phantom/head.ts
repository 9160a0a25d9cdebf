/**
 * A head as T1-weighted MR after contrast sees it, in LPS mm around the middle of the brain: scalp, skull with marrow,
 * folded grey and white matter, ventricles, cerebellum, eyes, and one lesion with a bright rim and swelling around it.
 */
import type { SegmentedStructure } from '@isocenter/volume';
import type { Anatomy } from './anatomy.js';
import type { Material, Paint } from './canvas.js';
import { capsule, ellipsoid, shape, smoothStep } from './shapes.js';

const BRAIN = 1;
const VENTRICLES = 2;
const LESION = 3;

const sct = (value: string, meaning: string) => ({ value, scheme: 'SCT', meaning });

const STRUCTURES: readonly SegmentedStructure[] = [
  {
    name: 'Head',
    layer: 0,
    label: 1,
    colour: [240, 200, 160],
    interpretedType: 'EXTERNAL',
    code: sct('69536005', 'Head'),
  },
  {
    name: 'Brain',
    layer: 1,
    label: BRAIN,
    colour: [250, 150, 180],
    interpretedType: 'ORGAN',
    code: sct('12738006', 'Brain'),
  },
  {
    name: 'Ventricles',
    layer: 1,
    label: VENTRICLES,
    colour: [80, 160, 255],
    interpretedType: 'ORGAN',
    code: sct('35764002', 'Brain ventricle'),
  },
  {
    name: 'Lesion',
    layer: 1,
    label: LESION,
    colour: [255, 60, 40],
    interpretedType: 'GTV',
    code: sct('52988006', 'Lesion'),
  },
];

const HEAD = ellipsoid([0, 2, 6], [77, 98, 104]);
const NECK = capsule([0, 34, -60], [0, 48, -240], 56);
const FACE = ellipsoid([0, -36, -52], [58, 66, 70]);
const CEREBRUM = ellipsoid([0, 4, 22], [64, 83, 66]);
const CEREBELLUM = ellipsoid([0, 44, -30], [50, 36, 24]);
const STEM = capsule([0, 24, -10], [0, 34, -120], 11);

/** Strength of the receive coil: MR values fade towards the middle of the head. */
function bias(x: number, y: number, z: number): number {
  return 1 + 0.12 * Math.sin(x * 0.012 + 0.4) + 0.1 * Math.sin(y * 0.011 - z * 0.008);
}

const signal =
  (value: number): Material =>
  (x, y, z) =>
    value * bias(x, y, z);

const headDistance = (x: number, y: number, z: number) =>
  Math.min(HEAD.distance(x, y, z), NECK.distance(x, y, z), FACE.distance(x, y, z));

const scalp: Material = (x, y, z, depth) => (depth < 1.5 ? 260 : depth < 6 ? 820 : 330) * bias(x, y, z);
const skull: Material = (x, y, z, depth) => (depth > 2 && depth < 4.5 ? 480 : 40) * bias(x, y, z);

/** Furrows: how far the surface of the cortex lies below the smooth hull, 0 on a ridge. */
function furrow(x: number, y: number, z: number): number {
  const a =
    Math.sin(x * 0.17 + 2.1 * Math.sin(y * 0.11) + 0.5) +
    Math.sin(y * 0.18 + 2 * Math.sin(z * 0.12)) +
    Math.sin(z * 0.19 + 1.9 * Math.sin(x * 0.1));
  return 15 * (1 - smoothStep(0.12, 0.75, Math.abs(a)));
}

const GREY = 410;
const WHITE = 610;
const FLUID = 110;
const CORTEX_MM = 5.5;

const cerebrum: Material = (x, y, z, depth) => {
  // The cleft between the hemispheres, and furrows that open outwards.
  const cleft = Math.abs(x) - 0.9 - 0.8 * smoothStep(20, 70, z);
  const below = Math.min(depth - furrow(x, y, z), ((y - 6) / 50) ** 2 + ((z - 8) / 36) ** 2 > 1 ? cleft : depth);
  const value = below < 0 ? FLUID : below < CORTEX_MM ? GREY : WHITE;
  return value * bias(x, y, z);
};

const cerebellum: Material = (x, y, z, depth) =>
  (depth < 16 && Math.sin(z * 1.1 + y * 0.35) > 0.75 ? FLUID + 120 : depth < 9 ? GREY : WHITE - 60) * bias(x, y, z);

const rim: Material = (x, y, z, depth) => (depth < 3 ? 960 : 210) * bias(x, y, z);

function ventricles(): Paint[] {
  const fluid = signal(FLUID - 20);
  const horns = [1, -1].flatMap((side) => [
    capsule([side * 7, -28, 26], [side * 10, 4, 36], 5.5),
    capsule([side * 10, 4, 36], [side * 20, 36, 26], 6.5),
    capsule([side * 20, 36, 26], [side * 32, 16, 2], 4),
  ]);
  return [...horns, ellipsoid([0, 8, 10], [2.4, 14, 10])].map((piece) => ({
    shape: piece,
    material: fluid,
    label: VENTRICLES,
  }));
}

/** The whole head, from the skin inwards. */
export function head(): Anatomy {
  const inSkull = ellipsoid([0, 4, 20], [70, 89, 78]);
  return {
    background: 4,
    noise: 13,
    floor: 0,
    structures: STRUCTURES,
    paint: [
      { shape: shape([-80, -104, -300], [80, 106, 112], headDistance), material: scalp, label: 1, layer: 0 },
      { shape: inSkull, material: skull },
      { shape: ellipsoid([0, 4, 20], [65.5, 84.5, 73]), material: signal(FLUID) },
      { shape: CEREBRUM, material: cerebrum, label: BRAIN },
      { shape: STEM, material: signal(WHITE - 70), label: BRAIN },
      { shape: CEREBELLUM, material: cerebellum, label: BRAIN },
      ...ventricles(),
      { shape: capsule([0, 34, -120], [0, 48, -300], 7), material: signal(WHITE - 120) },
      ...[1, -1].map((side) => ({ shape: ellipsoid([side * 31, -76, -22], [12, 12, 12]), material: signal(150) })),
      { shape: ellipsoid([0, -72, -42], [12, 26, 20]), material: 6 },
      { shape: capsule([0, -40, -60], [0, -10, -190], 8), material: 6 },
      { shape: ellipsoid([0, -52, -92], [24, 30, 12]), material: signal(420) },
      { shape: ellipsoid([30, -22, 40], [21, 24, 19]), material: signal(360), within: [BRAIN] },
      { shape: ellipsoid([30, -22, 40], [11, 13, 10]), material: rim, label: LESION },
    ],
  };
}
