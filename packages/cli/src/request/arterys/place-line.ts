/** Measurements onto their images: world coordinates projected into the plane of the image, the length in millimetres. */
import type { PictureRuler } from '@isocenter/engine';
import type { AnswerLine } from './check-json.js';
import { type Faults, said } from './faults.js';
import { dot } from './input-images.js';
import type { SentImages, Slot } from './sent-images.js';

export interface PlacedLine extends Slot {
  readonly ruler: PictureRuler;
}

/** Farther from its image than half a slice, or this where the image does not say, a point belongs to another one. */
const UNKNOWN_THICKNESS_MM = 5;

export function placeLines(lines: readonly AnswerLine[], sent: SentImages, faults: Faults): PlacedLine[] {
  return lines.flatMap((line, at) => {
    const image = sent.instance(line.SOPInstanceUID);
    if (!image) return [];
    const ruler = line.coordinates === 'pixel' ? inPixels(line, image) : inWorld(line, image, at, faults);
    return ruler ? [{ image, frame: line.frame, ruler }] : [];
  });
}

type Image = Slot['image'];

function inPixels({ label, start, end, frame }: AnswerLine, { frames }: Image): PictureRuler {
  const [from, to] = [point(start), point(end)];
  const geometry = frames[frame] ?? frames[0];
  const spacing = geometry?.pixelSpacing;
  const [down, across] = spacing ?? [1, 1];
  const length = Math.hypot((to[0] - from[0]) * across, (to[1] - from[1]) * down);
  const unit = spacing ? (geometry.spacingAtDetector ? 'mm at the detector' : 'mm') : 'pixels';
  return { kind: 'ruler', label, from, to, length: `${length.toFixed(1)} ${unit}` };
}

function point(values: readonly number[]): readonly [number, number] {
  return [values[0], values[1]];
}

function inWorld(line: AnswerLine, { frames }: Image, at: number, faults: Faults): PictureRuler | undefined {
  const { label, start, end } = line;
  const { position, rowDirection, columnDirection, pixelSpacing, sliceThickness } =
    frames[line.frame] ?? frames[0] ?? {};
  const place = `linear_measurements_2d[${at}]`;
  if (!position || !rowDirection || !columnDirection || !pixelSpacing) {
    faults.warning({
      part: place,
      rule: 'an image of world coordinates lies somewhere',
      expected: 'an image with position, orientation and pixel spacing',
      actual: said('an image without'),
      next: 'Use pixel coordinates for such images.',
    });
    return undefined;
  }
  if (start.length < 3 || end.length < 3) {
    faults.warning({
      part: place,
      rule: 'a point of the world has three coordinates',
      expected: '[x, y, z] in millimetres (LPS)',
      actual: start,
      next: 'It cannot be drawn; give z as well.',
    });
    return undefined;
  }
  let away = 0;
  const onImage = (world: readonly number[]): [number, number] => {
    const offset = world.map((value, axis) => value - position[axis]);
    const across = dot(offset, rowDirection);
    const down = dot(offset, columnDirection);
    const inPlane = Math.hypot(across, down);
    away = Math.max(away, Math.sqrt(Math.max(0, dot(offset, offset) - inPlane * inPlane)));
    return [across / pixelSpacing[1], down / pixelSpacing[0]];
  };
  const [from, to] = [onImage(start), onImage(end)];
  if (away > (sliceThickness ?? UNKNOWN_THICKNESS_MM) / 2 + ROUNDING_MM)
    faults.warning({
      part: place,
      rule: 'a measurement lies in its image',
      expected: 'both ends within half a slice of it',
      actual: said(`${away.toFixed(1)} mm away`),
      next: 'Name the image that the points lie in; it is drawn where they project to.',
    });
  const length = Math.hypot(...start.map((value, axis) => value - end[axis]));
  return { kind: 'ruler', label, from, to, length: `${length.toFixed(1)} mm` };
}

const ROUNDING_MM = 0.05;
