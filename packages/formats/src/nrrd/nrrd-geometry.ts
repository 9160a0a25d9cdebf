/** Where a NRRD lies: `space`, `space directions`, `space origin` to an LPS affine, and which axis holds the channels. */
import { type Affine, affineFrom, type Size3, spacingOf, type Vector3 } from '@isocenter/volume';
import { FormatError } from '../format-error.js';

export interface NrrdGrid {
  readonly size: Size3;
  /** LPS mm. */
  readonly affine: Affine;
  /** Index of the channel axis among the file's axes; undefined when there is none. */
  readonly channelAxis: number | undefined;
  readonly channels: number;
  readonly notes: readonly string[];
}

/** Signs that turn a space's axes into LPS. */
const SPACES: ReadonlyMap<string, Vector3> = new Map([
  ['left-posterior-superior', [1, 1, 1]],
  ['lps', [1, 1, 1]],
  ['right-anterior-superior', [-1, -1, 1]],
  ['ras', [-1, -1, 1]],
  ['left-anterior-superior', [1, -1, 1]],
  ['las', [1, -1, 1]],
]);

/** Kinds (teem's nrrd.h) of an axis that does not lie in space. */
const SPATIAL_KINDS = new Set(['domain', 'space', '???', 'none', '']);

const SPATIAL_AXES = 3;

export function nrrdGrid(fields: ReadonlyMap<string, string>, sizes: readonly number[]): NrrdGrid {
  const notes: string[] = [];
  const directions = parseDirections(fields.get('space directions'), sizes.length);
  const channelAxis = findChannelAxis(fields, sizes, directions);
  const spatial = sizes.map((_, axis) => axis).filter((axis) => axis !== channelAxis);
  if (spatial.length > SPATIAL_AXES)
    throw invalid('unsupported-feature', `${spatial.length} spatial axes are too many`, 'sizes');
  const size = [0, 1, 2].map((axis) => (axis < spatial.length ? sizes[spatial[axis]] : 1)) as [number, number, number];
  const affine = directions
    ? affineOfDirections(
        fields,
        spatial.map((axis) => directions[axis]),
        notes,
      )
    : affineOfSpacings(fields, spatial, notes);
  return { size, affine, channelAxis, channels: channelAxis === undefined ? 1 : sizes[channelAxis], notes };
}

function invalid(kind: 'invalid-geometry' | 'unsupported-feature', message: string, where: string): FormatError {
  return new FormatError(kind, message, {
    where: `NRRD ${where}`,
    next: 'Export the file again as a 3-D volume in LPS or RAS.',
  });
}

type Direction = Vector3 | undefined;

/** One vector or `none` per axis. */
function parseDirections(text: string | undefined, axes: number): Direction[] | undefined {
  if (text === undefined) return undefined;
  const found = text.match(/none|\([^)]*\)/g) ?? [];
  if (found.length !== axes)
    throw invalid('invalid-geometry', `${found.length} directions for ${axes} axes`, 'space directions');
  return found.map((part) => (part === 'none' ? undefined : parseVector(part, 'space directions')));
}

function parseVector(text: string, where: string): Vector3 {
  const numbers = text
    .replace(/[()\s]/g, '')
    .split(',')
    .map(Number);
  // A 2-D image has vectors of two numbers (space dimension 2).
  if (numbers.length === 2) numbers.push(0);
  if (numbers.length !== SPATIAL_AXES || !numbers.every(Number.isFinite))
    throw invalid('invalid-geometry', 'A vector needs three finite numbers', where);
  return numbers as unknown as Vector3;
}

function findChannelAxis(fields: ReadonlyMap<string, string>, sizes: readonly number[], directions?: Direction[]) {
  const kinds = fields.get('kinds')?.toLowerCase().split(/\s+/) ?? [];
  const outside = sizes
    .map((_, axis) => axis)
    .filter((axis) => (directions ? directions[axis] === undefined : !SPATIAL_KINDS.has(kinds[axis] ?? '')));
  if (outside.length > 1) throw invalid('unsupported-feature', 'More than one axis does not lie in space', 'kinds');
  // Without any word about it, a fourth axis is the slowest one: time, or classes.
  return outside[0] ?? (sizes.length > SPATIAL_AXES ? sizes.length - 1 : undefined);
}

function signsOf(fields: ReadonlyMap<string, string>, notes: string[]): Vector3 {
  const space = fields.get('space')?.toLowerCase();
  const signs = space === undefined ? undefined : SPACES.get(space);
  if (space !== undefined && signs === undefined)
    throw invalid('unsupported-feature', 'The space is not LPS, RAS or LAS, so left and right are unknown', 'space');
  if (signs === undefined) notes.push('The header names no anatomical space; LPS was assumed.');
  return signs ?? [1, 1, 1];
}

function affineOfDirections(
  fields: ReadonlyMap<string, string>,
  directions: readonly Direction[],
  notes: string[],
): Affine {
  const signs = signsOf(fields, notes);
  const origin = parseVector(fields.get('space origin') ?? '(0,0,0)', 'space origin');
  const turned = (vector: Vector3) => vector.map((value, axis) => value * signs[axis]) as unknown as Vector3;
  const columns = completeAxes(directions.map((direction) => turned(direction ?? [0, 0, 0])));
  const affine = affineFrom(columns, [1, 1, 1], turned(origin));
  if (spacingOf(affine).some((length) => !(length > 0)))
    throw invalid('invalid-geometry', 'A direction has no length', 'space directions');
  return affine;
}

/** A 2-D image gets a third axis of 1 mm, perpendicular to both. */
function completeAxes(columns: Vector3[]): readonly [Vector3, Vector3, Vector3] {
  const [a, b, c] = columns;
  if (a === undefined || b === undefined)
    throw invalid('invalid-geometry', 'Fewer than two axes lie in space', 'space directions');
  if (c !== undefined) return [a, b, c];
  const normal = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const length = Math.hypot(...normal);
  return [a, b, [normal[0] / length, normal[1] / length, normal[2] / length]];
}

function affineOfSpacings(fields: ReadonlyMap<string, string>, spatial: readonly number[], notes: string[]): Affine {
  signsOf(fields, notes);
  const spacings = fields.get('spacings')?.split(/\s+/).map(Number) ?? [];
  const of = (axis: number) => {
    const spacing = Math.abs(spacings[spatial[axis]] ?? 1);
    return Number.isFinite(spacing) && spacing > 0 ? spacing : 1;
  };
  if (fields.get('spacings') === undefined) notes.push('The header gives no spacing; 1 mm was assumed.');
  return affineFrom(
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    [of(0), of(1), of(2)],
    [0, 0, 0],
  );
}
