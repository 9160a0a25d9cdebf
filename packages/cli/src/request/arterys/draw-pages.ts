/** A picture for each image that was sent, with what the answer says about it: for the eye of the integrator. */
import { parseDicom } from '@isocenter/dicom';
import {
  anchoredColours,
  annotatedPicture,
  displayImage,
  type PictureFinding,
  type PictureMask,
  rainbow,
} from '@isocenter/engine';
import { encodePng } from '@isocenter/formats';
import { distinctColour, isFailure, type Watch } from '@isocenter/volume';
import type { AnswerSaying } from './check-json.js';
import type { CheckedPart } from './check-parts.js';
import type { InputImage } from './input-images.js';
import { labelNames } from './mask-options.js';
import { sidesOf } from './patient-sides.js';
import type { PlacedLine } from './place-line.js';
import type { SentImages } from './sent-images.js';

export interface Said {
  readonly parts: readonly CheckedPart[];
  readonly saying: AnswerSaying;
  readonly lines: readonly PlacedLine[];
}

export interface PageOptions {
  /** Classification results as text on every page, and pages also without findings. */
  readonly labels: boolean;
}

export type WriteFile = (name: string, bytes: Uint8Array) => Promise<void>;

/** One mask plane on one frame. */
interface Plane {
  readonly part: CheckedPart;
  readonly values: Uint8Array;
  readonly frame: number;
}

/** Frames of one film beyond the first picture; more would bury the folder. */
const MOST_FRAMES = 200;
/** Speed before size: pictures are looked at once. */
const PNG_LEVEL = 3;

/** Resolves to notes on images that could not be drawn. */
export async function drawPages(
  sent: SentImages,
  said: Said,
  options: PageOptions,
  write: WriteFile,
  watch: Watch,
): Promise<string[]> {
  const { saying, lines } = said;
  const planes = planesByImage(said.parts);
  if (planes.size === 0 && saying.boxes.length === 0 && lines.length === 0 && !options.labels) return [];
  const colours = new Colours(said.parts);
  const notes: string[] = [];
  const { images } = sent;
  for (const [at, image] of images.entries()) {
    watch.signal?.throwIfAborted();
    const own = sent.instance(image.instance.SOPInstanceUID) === image;
    const findings = (frame: number): PictureFinding[] => [
      ...(planes.get(image) ?? [])
        .filter((plane) => plane.frame === frame)
        .flatMap((plane) => drawn(plane, saying, colours)),
      ...saying.boxes
        .filter(({ SOPInstanceUID }) => own && frame === 0 && SOPInstanceUID === image.instance.SOPInstanceUID)
        .map(({ label, from, to }) => ({ kind: 'box' as const, label, from, to })),
      ...lines.filter((line) => line.image === image && line.frame === frame).map(({ ruler }) => ruler),
    ];
    try {
      await drawImage(image, at, sent, findings, options, saying, write);
    } catch (error) {
      if (!isFailure(error)) throw error;
      notes.push(`${image.name} cannot be drawn: ${error.message}`);
    }
    watch.progress?.(at + 1, images.length, 'draw');
  }
  return notes;
}

async function drawImage(
  image: InputImage,
  at: number,
  sent: SentImages,
  findings: (frame: number) => PictureFinding[],
  { labels }: PageOptions,
  saying: AnswerSaying,
  write: WriteFile,
): Promise<void> {
  const { instance, name } = image;
  const file = parseDicom(await image.source.read());
  const byFrame = Array.from({ length: instance.frames }, (_, frame) => findings(frame));
  const busy = byFrame.map((list, frame) => ({ frame, weight: weightOf(list) })).filter(({ weight }) => weight > 0);
  // The first picture of a film is the frame with most to see.
  const first = [...busy].sort((a, b) => b.weight - a.weight)[0]?.frame ?? Math.floor((instance.frames - 1) / 2);
  const others = busy.map(({ frame }) => frame).filter((frame) => frame !== first);
  const stem = `${at}_${name.normalize('NFKD').replace(/[^A-Za-z0-9._-]+/g, '_')}`;
  const text = labels ? classification(instance.SeriesInstanceUID, saying) : [];
  for (const frame of [first, ...others.slice(0, MOST_FRAMES)]) {
    const picture = annotatedPicture(await displayImage(file, frame), byFrame[frame], {
      title: titleOf(image, at, frame, sent),
      letters: sidesOf(image.frames[frame]),
      lines: text,
    });
    const { width, height, data } = picture;
    const suffix = frame === first ? '' : `_frame${frame + 1}`;
    await write(`${stem}${suffix}.png`, encodePng({ width, height, channels: 3, data }, PNG_LEVEL));
  }
}

function weightOf(findings: readonly PictureFinding[]): number {
  return findings.reduce((sum, finding) => {
    if (finding.kind === 'mask') return sum + covered(finding);
    return sum + (finding.kind === 'heat' ? finding.values.reduce((n, value) => n + value, 0) / 255 : 1);
  }, 0);
}

const covered = ({ inside }: PictureMask) => inside.reduce((n, value) => n + (value === 0 ? 0 : 1), 0);

/** Without anything of the patient: the picture may be shown around. */
function titleOf({ instance, position }: InputImage, at: number, frame: number, sent: SentImages): string {
  const series = sent.seriesUIDs.length;
  return [
    `image ${at + 1} of ${sent.images.length}`,
    series > 1 ? `series ${sent.seriesUIDs.indexOf(instance.SeriesInstanceUID) + 1} of ${series}` : '',
    instance.frames > 1 ? `frame ${frame + 1} of ${instance.frames}` : '',
    instance.Modality,
    position === undefined ? '' : `at ${position.toFixed(1)} mm`,
  ]
    .filter(Boolean)
    .join(', ');
}

function planesByImage(parts: readonly CheckedPart[]): Map<InputImage, Plane[]> {
  const found = new Map<InputImage, Plane[]>();
  for (const part of parts) {
    const { placed, body } = part;
    if (!placed || !body) continue;
    placed.slots.forEach(({ image, frame }, at) => {
      const values = body.subarray(at * placed.plane, (at + 1) * placed.plane);
      found.set(image, [...(found.get(image) ?? []), { part, values, frame }]);
    });
  }
  return found;
}

/** A colour for each label of masks of single images, and for each mask of a series. Red is that of boxes. */
class Colours {
  readonly #numbers = new Map<string, number>();

  constructor(parts: readonly CheckedPart[]) {
    for (const part of parts) if (part.type !== 'numeric_label_mask') this.of(part, part.label);
  }

  of({ index, entry, type }: CheckedPart, label: string): readonly [number, number, number] {
    const key = entry.dicom_image === undefined && type !== 'numeric_label_mask' ? `${index} ${label}` : label;
    const number = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, number);
    return distinctColour(number);
  }
}

/** Probability 255 is 1; without a threshold of the answer the upper half is inside. */
const DEFAULT_THRESHOLD = 128;

function drawn({ part, values }: Plane, saying: AnswerSaying, colours: Colours): PictureFinding[] {
  const { entry, label, type } = part;
  if (type === 'heatmap') {
    const points = typeof entry.palette === 'string' ? saying.palettes.get(entry.palette) : undefined;
    return [{ kind: 'heat', label, values, colours: points ? anchoredColours(points) : rainbow() }];
  }
  if (type === 'numeric_label_mask') return labels({ part, values }, colours);
  const threshold =
    typeof entry.probability_threshold === 'number' ? entry.probability_threshold * 255 : DEFAULT_THRESHOLD;
  const inside = values.map((value) => (type === 'boolean_mask' ? Number(value !== 0) : Number(value > threshold)));
  return [{ kind: 'mask', label, colour: colours.of(part, label), inside }];
}

/** A mask for each named label but 0, and for each value without a name. */
function labels({ part, values }: Pick<Plane, 'part' | 'values'>, colours: Colours): PictureMask[] {
  const names = new Map(labelNames(part.entry));
  for (const value of new Set(values)) if (!names.has(value)) names.set(value, `no name (${value})`);
  names.delete(0);
  return [...names]
    .sort(([a], [b]) => a - b)
    .map(([wanted, label]) => ({
      kind: 'mask',
      label,
      colour: colours.of(part, label),
      inside: values.map((value) => Number(value === wanted)),
    }));
}

/** What the answer says of the study and of a series, one `key: value` a line. */
export function classification(seriesUID: string | undefined, { study, series }: AnswerSaying): string[] {
  const own = seriesUID === undefined ? undefined : series.get(seriesUID);
  return [...(study ? ['study', ...flat(study)] : []), ...(own ? ['series', ...flat(own)] : [])];
}

function flat(value: unknown, indent = '  '): string[] {
  if (typeof value !== 'object' || value === null) return [`${indent}${String(value)}`];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' && inner !== null
      ? [`${indent}${key}`, ...flat(inner, `${indent}  `)]
      : [`${indent}${key}: ${String(inner)}`],
  );
}
