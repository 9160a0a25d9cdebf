/** Structures whose truth the thorax phantom gives, with their labels: the body in layer 0, organs in layer 1. */
import type { SegmentedStructure } from '@isocenter/volume';
import { THORAX_BONE } from './thorax-bones.js';

export const LUNG_LEFT = 1;
export const LUNG_RIGHT = 2;
export const HEART = 4;
export const CORD = 5;
export const AIRWAY = 6;
export const LIVER = 7;

const sct = (value: string, meaning: string) => ({ value, scheme: 'SCT', meaning });
const LEFT = sct('7771000', 'Left');
const RIGHT = sct('24028007', 'Right');
const lung = sct('39607008', 'Lung');

export const THORAX_STRUCTURES: readonly SegmentedStructure[] = [
  {
    name: 'Body',
    layer: 0,
    label: 1,
    colour: [240, 200, 160],
    interpretedType: 'EXTERNAL',
    code: sct('38266002', 'Entire body'),
  },
  {
    name: 'Lung_L',
    layer: 1,
    label: LUNG_LEFT,
    colour: [80, 160, 255],
    interpretedType: 'ORGAN',
    code: lung,
    modifiers: [LEFT],
  },
  {
    name: 'Lung_R',
    layer: 1,
    label: LUNG_RIGHT,
    colour: [80, 220, 120],
    interpretedType: 'ORGAN',
    code: lung,
    modifiers: [RIGHT],
  },
  {
    name: 'Bone',
    layer: 1,
    label: THORAX_BONE,
    colour: [255, 240, 120],
    interpretedType: 'ORGAN',
    code: sct('272673000', 'Bone'),
  },
  {
    name: 'Heart',
    layer: 1,
    label: HEART,
    colour: [230, 60, 60],
    interpretedType: 'ORGAN',
    code: sct('80891009', 'Heart'),
  },
  {
    name: 'SpinalCord',
    layer: 1,
    label: CORD,
    colour: [255, 140, 0],
    interpretedType: 'ORGAN',
    code: sct('2748008', 'Spinal cord'),
  },
  {
    name: 'Trachea',
    layer: 1,
    label: AIRWAY,
    colour: [0, 220, 220],
    interpretedType: 'ORGAN',
    code: sct('44567001', 'Trachea'),
  },
  {
    name: 'Liver',
    layer: 1,
    label: LIVER,
    colour: [170, 90, 40],
    interpretedType: 'ORGAN',
    code: sct('10200004', 'Liver'),
  },
];
