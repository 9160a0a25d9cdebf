/**
 * A thorax as CT sees it, in LPS mm around the middle of the chest: body wall, ribs and spine, lungs with vessel
 * trees, airways, heart and great vessels, upper abdomen, and the treatment couch under the back. Sizes are those of
 * an average adult; HU are textbook values. Lungs are drawn as clinicians contour them: vessels inside belong to them,
 * trachea and main bronchi do not.
 */
import type { Vector3 } from '@isocenter/volume';
import type { Anatomy } from './anatomy.js';
import type { Material, Paint } from './canvas.js';
import type { Random } from './random.js';
import { box, capsule, ellipsoid, intersect, type Shape, shape, smoothStep } from './shapes.js';
import { boneMaterial, thoraxBones } from './thorax-bones.js';
import { cageCentre, cageDistance } from './thorax-cage.js';
import { AIRWAY, CORD, HEART, LIVER, LUNG_LEFT, LUNG_RIGHT, THORAX_STRUCTURES } from './thorax-structures.js';
import { BACK, bodyDistance, bodyWall } from './thorax-wall.js';

/** Beyond any image of the chest, for shapes without end. */
const FAR = 330;

/** Half width of the tissue between the lungs: thin in front of the heart base, where the lungs nearly touch. */
function mediastinum(x: number, y: number, z: number): number {
  const front = cageCentre(z) - 74;
  let half = 1.2 + 32 * smoothStep(front, front + 44, y);
  half += (33 - half) * smoothStep(62, 100, z);
  return half - Math.abs(x - 2);
}

const HEART_SHAPE = ellipsoid([28, -20, -48], [62, 46, 54], -0.5);
const DOME_RIGHT = ellipsoid([-62, 0, -205], [76, 72, 116]);
const DOME_LEFT = ellipsoid([62, 0, -210], [74, 70, 108]);
const SPINE_COVER = (x: number, y: number) => 25 - Math.sqrt(x * x + (y - 66) * (y - 66));
const PLEURA_MM = 3;

function lungShape(side: 1 | -1): Shape {
  return shape(side > 0 ? [0, -95, -200] : [-140, -95, -200], side > 0 ? [140, 100, 150] : [2, 100, 150], (x, y, z) =>
    Math.max(
      cageDistance(x, y, z) + PLEURA_MM,
      -side * (x - 2),
      mediastinum(x, y, z),
      SPINE_COVER(x, y),
      PLEURA_MM - HEART_SHAPE.distance(x, y, z),
      -DOME_RIGHT.distance(x, y, z),
      -DOME_LEFT.distance(x, y, z),
      -150 - 0.35 * y - z,
    ),
  );
}

/** Air and fine vessels; denser towards the back, on which the patient lies. */
const parenchyma: Material = (x, y, z) =>
  -850 + y * 0.3 + 14 * Math.sin(x * 0.31 + z * 0.2) * Math.sin(y * 0.27 - z * 0.13);

function vesselTree(random: Random, root: Vector3, side: 1 | -1): Paint[] {
  const paint: Paint[] = [];
  const within = [side > 0 ? LUNG_LEFT : LUNG_RIGHT];
  const grow = (from: Vector3, heading: Vector3, radius: number, length: number, depth: number): void => {
    const bend = heading.map((value) => value + (random() - 0.5) * 0.35) as unknown as Vector3;
    const norm = Math.hypot(...bend);
    const to = from.map((value, axis) => value + (bend[axis] / norm) * length) as unknown as Vector3;
    paint.push({ shape: capsule(from, to, radius), material: 35, within });
    if (depth === 0) return;
    for (let child = 0; child < 2; child++) {
      const spread = bend.map((value) => value / norm + (random() - 0.5) * 1.25) as unknown as Vector3;
      grow(to, spread, Math.max(radius * 0.77, 0.8), length * 0.88, depth - 1);
    }
  };
  for (const [dx, dy, dz] of [
    [1, -0.3, 0.8],
    [0.9, 0.5, 0.5],
    [1, -0.7, -0.1],
    [0.8, 0.3, -0.8],
    [0.5, 0.8, -0.6],
    [0.6, -0.4, -0.9],
  ])
    grow(root, [side * dx, dy, dz], 5, 25, 6);
  return paint;
}

/** Vessels, airways and gullet between the lungs, as tubes: points along the middle line and a radius. */
function tubes(points: readonly Vector3[], radius: number, material: Material, label?: number): Paint[] {
  return points.slice(1).map((to, n) => ({ shape: capsule(points[n], to, radius), material, label }));
}

const TRACHEA: readonly Vector3[] = [
  [0, 34, 300],
  [0, 30, 150],
  [0, 20, 50],
];
const BRONCHUS_RIGHT: readonly Vector3[] = [
  [0, 20, 50],
  [-35, 15, 26],
];
const BRONCHUS_LEFT: readonly Vector3[] = [
  [0, 20, 50],
  [38, 18, 22],
];

function airways(): Paint[] {
  const branches: readonly (readonly [readonly Vector3[], number])[] = [
    [TRACHEA, 8.5],
    [BRONCHUS_RIGHT, 7],
    [BRONCHUS_LEFT, 6],
  ];
  return [
    ...branches.flatMap(([points, radius]) => tubes(points, radius + 1.6, 30)),
    ...branches.flatMap(([points, radius]) => tubes(points, radius, -985, AIRWAY)),
  ];
}

function chestContents(): Paint[] {
  const stomach = ellipsoid([58, -14, -162], [42, 44, 46]);
  return [
    { shape: shape([-140, -100, -FAR], [140, 105, 150], cageDistance), material: -85 },
    { shape: DOME_RIGHT, material: 45 },
    { shape: DOME_LEFT, material: 45 },
    { shape: ellipsoid([62, 0, -210], [70, 66, 104]), material: -95 },
    { shape: ellipsoid([-62, 0, -205], [73, 69, 113]), material: 60, label: LIVER },
    { shape: ellipsoid([88, 30, -160], [30, 34, 42]), material: 52 },
    { shape: stomach, material: 30 },
    { shape: intersect(ellipsoid([58, -14, -162], [39, 41, 43]), (_x, y) => y + 36), material: -960 },
    { shape: ellipsoid([-62, 52, -240], [27, 24, 52]), material: 36 },
    { shape: ellipsoid([64, 52, -236], [27, 24, 52]), material: 38 },
  ];
}

function heartAndVessels(): Paint[] {
  const heart: Material = (_x, _y, _z, depth) => (depth < 3 ? -70 : 46);
  return [
    { shape: HEART_SHAPE, material: heart, label: HEART },
    ...tubes(
      [
        [-12, -16, -20],
        [-9, -14, 58],
      ],
      15,
      44,
    ),
    ...tubes(
      [
        [-9, -14, 58],
        [8, -8, 80],
        [20, 14, 83],
        [26, 42, 68],
      ],
      12.5,
      44,
    ),
    ...tubes(
      [
        [26, 42, 68],
        [22, 46, 0],
        [16, 44, -FAR],
      ],
      12,
      44,
    ),
    ...tubes(
      [
        [-28, -8, -20],
        [-27, -10, 115],
      ],
      8.5,
      42,
    ),
    ...tubes(
      [
        [16, -22, 8],
        [8, -2, 28],
      ],
      13,
      43,
    ),
    ...tubes(
      [
        [8, -2, 28],
        [-36, 4, 18],
      ],
      9,
      43,
    ),
    ...tubes(
      [
        [8, -2, 28],
        [40, 8, 26],
      ],
      9,
      43,
    ),
    ...tubes(
      [
        [4, 42, 190],
        [6, 40, 40],
        [10, 32, -140],
      ],
      7,
      32,
    ),
  ];
}

const couch: Material = (_x, _y, _z, depth) => (depth < 1.8 ? -110 : -955);

/** The whole thorax, couch first, then from the skin inwards. */
export function thorax(random: Random): Anatomy {
  const withinCanal = (x: number, y: number) => Math.sqrt(x * x + (y - 88) * (y - 88));
  return {
    background: -1000,
    noise: 15,
    floor: -1024,
    structures: THORAX_STRUCTURES,
    paint: [
      { shape: box([-235, 119, -FAR], [235, 148, FAR]), material: couch },
      { shape: shape([-192, -118, -FAR], [192, BACK, FAR], bodyDistance), material: bodyWall, label: 1, layer: 0 },
      ...chestContents(),
      ...heartAndVessels(),
      { shape: lungShape(1), material: parenchyma, label: LUNG_LEFT },
      { shape: lungShape(-1), material: parenchyma, label: LUNG_RIGHT },
      ...vesselTree(random, [36, 12, 24], 1),
      ...vesselTree(random, [-34, 10, 22], -1),
      ...airways(),
      ...thoraxBones(),
      { shape: shape([-9, 79, -FAR], [9, 97, FAR], (x, y) => withinCanal(x, y) - 8.5), material: 8, label: 0 },
      { shape: shape([-6, 82, -FAR], [6, 94, FAR], (x, y) => withinCanal(x, y) - 5.5), material: 40, label: CORD },
      { shape: ellipsoid([-70, -22, 52], [9, 8, 8]), material: 35, within: [LUNG_RIGHT] },
      { shape: ellipsoid([-70, -22, 52], [2, 2, 2]), material: boneMaterial, within: [LUNG_RIGHT] },
    ],
  };
}
