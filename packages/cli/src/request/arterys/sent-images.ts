/** What was sent, as an answer refers to it: instances by their UID, series with the places that a mask's slices stand for. */
import type { InputImage } from './input-images.js';
import { SAME_PLACE_MM } from './input-images.js';

/** One plane of a mask belongs to one frame of one image. */
export interface Slot {
  readonly image: InputImage;
  /** From 0. */
  readonly frame: number;
}

export interface SentSeries {
  readonly columns: number;
  readonly rows: number;
  /** Planes at one time, and times: as a mask's `depth` and `timepoints`. */
  readonly depth: number;
  readonly timepoints: number;
  /** In a mask's order: all planes of the first time, then of the next. */
  readonly slots: readonly Slot[];
  /** False when images of several sizes share the series. */
  readonly uniform: boolean;
}

export class SentImages {
  readonly #instances = new Map<string, InputImage>();
  readonly #series = new Map<string, InputImage[]>();

  constructor(readonly images: readonly InputImage[]) {
    for (const image of images) {
      const { SOPInstanceUID, SeriesInstanceUID } = image.instance;
      if (!this.#instances.has(SOPInstanceUID)) this.#instances.set(SOPInstanceUID, image);
      this.#series.set(SeriesInstanceUID, [...(this.#series.get(SeriesInstanceUID) ?? []), image]);
    }
  }

  get seriesUIDs(): readonly string[] {
    return [...this.#series.keys()];
  }

  instance(uid: string): InputImage | undefined {
    return this.#instances.get(uid);
  }

  series(uid: string): SentSeries | undefined {
    const images = this.#series.get(uid);
    return images && sentSeries(images);
  }

  /** All images as they were sent, whatever their series: for services that stack what they get. */
  everything(): SentSeries {
    return sentSeries(this.images);
  }
}

function sentSeries(images: readonly InputImage[]): SentSeries {
  const { rows, columns } = images[0].instance;
  const uniform = images.every(({ instance }) => instance.rows === rows && instance.columns === columns);
  const slots = images.flatMap((image) =>
    Array.from({ length: image.instance.frames }, (_, frame) => ({ image, frame })),
  );
  const places = timesByPlace(images);
  const timepoints = places?.[0].length ?? 1;
  if (!places || timepoints === 1 || places.some((times) => times.length !== timepoints))
    return { columns, rows, depth: slots.length, timepoints: 1, slots, uniform };
  const ordered = Array.from({ length: timepoints }, (_, t) => places.map((times) => ({ image: times[t], frame: 0 })));
  return { columns, rows, depth: places.length, timepoints, slots: ordered.flat(), uniform };
}

/** Images of one place together; undefined where some image says nothing of its place or has several frames. */
function timesByPlace(images: readonly InputImage[]): InputImage[][] | undefined {
  const places: InputImage[][] = [];
  const series = images[0].instance.SeriesInstanceUID;
  for (const image of images) {
    const { position, instance } = image;
    if (position === undefined || instance.frames > 1 || instance.SeriesInstanceUID !== series) return undefined;
    const last = places.at(-1);
    const before = last?.[0].position;
    if (last && before !== undefined && Math.abs(position - before) <= SAME_PLACE_MM) last.push(image);
    else places.push([image]);
  }
  return places;
}
