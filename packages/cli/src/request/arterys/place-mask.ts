/** Where a mask lies: its shape held against its bytes and against the images, and which plane belongs to which image. */
import { checkFrame } from './check-json.js';
import type { Problem } from './entry-faults.js';
import { type Faults, said } from './faults.js';
import { isCount, isObject, isText, type JsonObject } from './json-shapes.js';
import type { SentImages, SentSeries, Slot } from './sent-images.js';

export interface PlacedPart {
  /** Pixels of one plane. */
  readonly plane: number;
  /** Plane number to image: as many as the mask has planes. */
  readonly slots: readonly Slot[];
}

/** Undefined when it cannot be placed; why stands in `faults`, unless no images are known. */
export function placeMask(
  entry: JsonObject,
  place: string,
  body: Uint8Array | undefined,
  sent: SentImages | undefined,
  faults: Faults,
): PlacedPart | undefined {
  const before = faults.errors;
  const problem: Problem = (field, rule, expected, actual, next) =>
    faults.error({ part: `${place}.${field}`, rule, expected, actual, next });
  const shape = entry.binary_data_shape;
  if (!isObject(shape)) {
    problem(
      'binary_data_shape',
      'a mask has a shape',
      '{ timepoints, depth, width, height } or { width, height }',
      shape,
      'Say what the bytes are.',
    );
    return undefined;
  }
  const volume = shape.depth !== undefined || shape.timepoints !== undefined || entry.dicom_image === undefined;
  const keys = volume ? ['timepoints', 'depth', 'width', 'height'] : ['width', 'height'];
  for (const key of keys)
    if (!isCount(shape[key]))
      problem(
        `binary_data_shape.${key}`,
        'sizes are whole numbers from 1',
        'an integer',
        shape[key],
        volume ? 'A mask of one image has width, height and a dicom_image.' : 'Take it from the image.',
      );
  if (faults.errors > before) return undefined;
  const sizes = keys.map((key) => shape[key] as number);
  const expected = sizes.reduce((product, size) => product * size, 1);
  if (body && body.length !== expected)
    problem(
      'binary_data_shape',
      'the shape is that of the bytes',
      `${sizes.join(' × ')} = ${expected} bytes`,
      said(`${body.length} bytes`),
      'Send one byte (uint8) a pixel, column fastest.',
    );
  const [width, height] = sizes.slice(-2);
  const placed = volume
    ? inSeries(entry, sizes, sent, problem, place, faults)
    : onImage(entry, width, height, sent, problem);
  return faults.errors > before || !body ? undefined : placed;
}

function onImage(entry: JsonObject, width: number, height: number, sent: SentImages | undefined, problem: Problem) {
  const { dicom_image: reference } = entry;
  if (!isObject(reference) || !isText(reference.SOPInstanceUID)) {
    problem(
      'dicom_image.SOPInstanceUID',
      'a 2-D mask names its image',
      'a SOPInstanceUID',
      isObject(reference) ? reference.SOPInstanceUID : reference,
      'Take the UID from the header of the image.',
    );
    return undefined;
  }
  const image = sent?.instance(reference.SOPInstanceUID);
  const { frame_number: frame = 1 } = reference;
  checkFrame('dicom_image.frame_number', frame, image?.instance.frames, problem);
  if (!sent) return undefined;
  if (!image) {
    problem(
      'dicom_image.SOPInstanceUID',
      'the image is one that was sent',
      'a SOPInstanceUID of the request',
      reference.SOPInstanceUID,
      'Take the UID from the header of the image.',
    );
    return undefined;
  }
  checkSize(image.instance, width, height, problem);
  return { plane: width * height, slots: [{ image, frame: (frame as number) - 1 }] };
}

function inSeries(
  entry: JsonObject,
  [timepoints, depth, width, height]: readonly number[],
  sent: SentImages | undefined,
  problem: Problem,
  place: string,
  faults: Faults,
): PlacedPart | undefined {
  const uid = entry.SeriesInstanceUID;
  if (!isText(uid))
    problem(
      'SeriesInstanceUID',
      'a 3-D mask names its series',
      'a SeriesInstanceUID',
      uid,
      'Take the UID from the header of an image; for one image give a dicom_image.',
    );
  if (!sent) return undefined;
  const series = isText(uid) ? sent.series(uid) : undefined;
  if (isText(uid) && !series)
    problem(
      'SeriesInstanceUID',
      'the series is one that was sent',
      sent.seriesUIDs.join(' or '),
      uid,
      'Take the SeriesInstanceUID from the header of an image.',
    );
  if (!series) return undefined;
  checkSize(series, width, height, problem);
  const slots = planesOf(series, sent.everything(), timepoints, depth, place, faults, problem);
  return slots && { plane: width * height, slots };
}

function checkSize(
  { columns, rows }: { columns: number; rows: number },
  width: number,
  height: number,
  problem: Problem,
): void {
  if (width !== columns || height !== rows)
    problem(
      'binary_data_shape',
      'a mask has the size of its image',
      `width ${columns}, height ${rows}`,
      said(`width ${width}, height ${height}`),
      width === rows && height === columns
        ? 'Width and height are swapped: width counts columns.'
        : 'Resample the mask to the pixels of the image.',
    );
}

function planesOf(
  series: SentSeries,
  all: SentSeries,
  timepoints: number,
  depth: number,
  place: string,
  faults: Faults,
  problem: Problem,
): readonly Slot[] | undefined {
  if (series.depth === depth && series.timepoints === timepoints) return series.slots;
  const planes = depth * timepoints;
  const shape = said(`timepoints ${timepoints}, depth ${depth}`);
  const expected = `timepoints ${series.timepoints}, depth ${series.depth}`;
  const stacked = series.slots.length !== planes && all.uniform && all.slots.length === planes;
  if (series.slots.length === planes || stacked) {
    faults.warning({
      part: `${place}.binary_data_shape`,
      rule: stacked ? 'a mask has a plane for each image of its series' : 'planes and times are those of the series',
      expected,
      actual: shape,
      next: stacked
        ? 'It counts the images of all series; it is drawn in the order of sending.'
        : 'It is drawn in the order of sending; say how many times and planes the series has.',
    });
    return stacked ? all.slots : inSendingOrder(series);
  }
  problem(
    'binary_data_shape',
    'a mask has a plane for each image of its series',
    expected,
    shape,
    'Count the images of this series only, without attachments.',
  );
  return undefined;
}

function inSendingOrder({ slots, depth, timepoints }: SentSeries): readonly Slot[] {
  return Array.from(
    { length: slots.length },
    (_, at) => slots[(at % timepoints) * depth + Math.floor(at / timepoints)],
  );
}
