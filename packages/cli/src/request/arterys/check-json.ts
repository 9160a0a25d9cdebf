/** Rules of the answer's JSON as a whole, and of what it says without binary parts: boxes, measurements, classification, palettes. */
import type { AnchorPoint } from '@isocenter/engine';
import { checkPalettes } from './check-palettes.js';
import { entryFaults, type Problem } from './entry-faults.js';
import { type Faults, said } from './faults.js';
import { isCount, isNumbers, isObject, isText, type JsonObject } from './json-shapes.js';
import type { SentImages } from './sent-images.js';

export interface AnswerBox {
  readonly label: string;
  readonly SOPInstanceUID: string;
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
}

export interface AnswerLine {
  readonly label: string;
  readonly SOPInstanceUID: string;
  /** From 0. */
  readonly frame: number;
  readonly coordinates: 'pixel' | 'world';
  readonly start: readonly number[];
  readonly end: readonly number[];
}

export interface AnswerSaying {
  readonly boxes: readonly AnswerBox[];
  readonly lines: readonly AnswerLine[];
  readonly palettes: ReadonlyMap<string, readonly AnchorPoint[]>;
  /** Names that stand in `palettes`, right or wrong: a part may refer to them. */
  readonly paletteNames: ReadonlySet<string>;
  readonly study: JsonObject | undefined;
  readonly series: ReadonlyMap<string, JsonObject>;
}

const VERSION = '1.0';
const KEYS = [
  'protocol_version',
  'parts',
  'bounding_boxes_2d',
  'linear_measurements_2d',
  'study_ml_json',
  'series_ml_json',
  'palettes',
];
const NO_IMAGE = 'Take the UID from the DICOM header of an image of the request.';

/** `sent`: undefined when the service read the images itself, and nothing is known of them here. */
export function checkJson(json: JsonObject, sent: SentImages | undefined, faults: Faults): AnswerSaying {
  const { protocol_version: version, parts } = json;
  if (version !== VERSION)
    faults.error({
      part: 'protocol_version',
      rule: 'the version of the protocol is said',
      expected: `"${VERSION}"`,
      actual: version,
      next: 'It is a string.',
    });
  if (!Array.isArray(parts))
    faults.error({
      part: 'parts',
      rule: 'the binary parts are listed',
      expected: '[ … ], empty without binary parts',
      actual: parts,
      next: 'Viewers fail without it, also for boxes.',
    });
  for (const key of Object.keys(json))
    if (!KEYS.includes(key))
      faults.warning({
        part: key,
        rule: 'viewers know these keys',
        expected: KEYS.join(', '),
        actual: said(`a key ${JSON.stringify(key)}`),
        next: 'It is not shown; free text belongs into study_ml_json or series_ml_json.',
      });
  const palettes = checkPalettes(json.palettes, faults);
  return {
    boxes: list(json, 'bounding_boxes_2d', faults).flatMap((box, at) => checkBox(box, at, sent, faults)),
    lines: list(json, 'linear_measurements_2d', faults).flatMap((line, at) => checkLine(line, at, sent, faults)),
    palettes,
    paletteNames: new Set(isObject(json.palettes) ? Object.keys(json.palettes) : []),
    study: checkStudy(json.study_ml_json, faults),
    series: checkSeries(json.series_ml_json, sent, faults),
  };
}

function list(json: JsonObject, key: string, faults: Faults): readonly unknown[] {
  const value = json[key];
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  faults.error({
    part: key,
    rule: 'it is a list',
    expected: '[ … ]',
    actual: value,
    next: 'Put even one entry into a list.',
  });
  return [];
}

/** Label and image that every entry of both kinds has. Resolves to the image's size and frames when it was sent. */
function checkSubject(entry: JsonObject, sent: SentImages | undefined, problem: Problem) {
  const { label, SOPInstanceUID } = entry;
  if (typeof label !== 'string') problem('label', 'it has a label', 'a string', label, 'Say what it is.');
  if (!isText(SOPInstanceUID)) {
    problem('SOPInstanceUID', 'it names its image', 'a SOPInstanceUID', SOPInstanceUID, NO_IMAGE);
    return undefined;
  }
  const image = sent?.instance(SOPInstanceUID);
  if (sent && !image)
    problem(
      'SOPInstanceUID',
      'the image is one that was sent',
      'a SOPInstanceUID of the request',
      SOPInstanceUID,
      NO_IMAGE,
    );
  return image?.instance;
}

function checkBox(value: unknown, at: number, sent: SentImages | undefined, faults: Faults): AnswerBox[] {
  const { problem, sound } = entryFaults(`bounding_boxes_2d[${at}]`, faults);
  if (!isObject(value)) {
    problem(
      '',
      'a box is an object',
      '{ label, SOPInstanceUID, top_left, bottom_right }',
      value,
      'See the shapes of the protocol.',
    );
    return [];
  }
  const image = checkSubject(value, sent, problem);
  const corners = ['top_left', 'bottom_right'] as const;
  for (const corner of corners) {
    const point = value[corner];
    if (!isNumbers(point, [2]))
      problem(corner, 'a corner is a column and a row', '[column, row]', point, 'Give pixels, column first.');
    else if (image && outside(point, image))
      problem(
        corner,
        'a corner lies in its image',
        `0 to ${image.columns}, 0 to ${image.rows}`,
        point,
        'Pixels are counted from 0, column first.',
      );
  }
  const [from, to] = corners.map((corner) => value[corner] as [number, number]);
  if (sound() && (to[0] < from[0] || to[1] < from[1]))
    problem(
      'bottom_right',
      'it lies right of and below top_left',
      `from ${JSON.stringify(from)} on`,
      to,
      'Swap the corners.',
    );
  if (!sound()) return [];
  return [{ label: value.label as string, SOPInstanceUID: value.SOPInstanceUID as string, from, to }];
}

function outside([column, row]: readonly number[], { columns, rows }: { columns: number; rows: number }): boolean {
  return column < 0 || row < 0 || column > columns || row > rows;
}

function checkLine(value: unknown, at: number, sent: SentImages | undefined, faults: Faults): AnswerLine[] {
  const { problem, sound } = entryFaults(`linear_measurements_2d[${at}]`, faults);
  if (!isObject(value)) {
    problem(
      '',
      'a measurement is an object',
      '{ label, SOPInstanceUID, coordinates_type, start, end }',
      value,
      'See the shapes of the protocol.',
    );
    return [];
  }
  const image = checkSubject(value, sent, problem);
  const { frame_number: frame = 1, coordinates_type: coordinates } = value;
  checkFrame('frame_number', frame, image?.frames, problem);
  if (coordinates !== 'pixel' && coordinates !== 'world')
    problem(
      'coordinates_type',
      'the coordinates are of a known kind',
      '"pixel" or "world"',
      coordinates,
      'pixel: column, row; world: millimetres of the patient.',
    );
  const world = coordinates === 'world';
  for (const end of ['start', 'end']) {
    const point = value[end];
    if (!isNumbers(point, world ? [2, 3] : [2]))
      problem(end, 'an end is a point', world ? '[x, y, z]' : '[column, row]', point, 'Give numbers.');
    else if (!world && image && outside(point, image))
      problem(
        end,
        'an end lies in its image',
        `0 to ${image.columns}, 0 to ${image.rows}`,
        point,
        'Pixels are counted from 0, column first.',
      );
  }
  if (!sound()) return [];
  const { label, SOPInstanceUID, start, end } = value as unknown as AnswerLine;
  return [{ label, SOPInstanceUID, frame: (frame as number) - 1, coordinates: world ? 'world' : 'pixel', start, end }];
}

export function checkFrame(field: string, frame: unknown, frames: number | undefined, problem: Problem): void {
  if (!isCount(frame) || (frames !== undefined && frame > frames))
    problem(
      field,
      'a frame is counted from 1',
      frames === undefined ? 'a whole number from 1' : `1 to ${frames}`,
      frame,
      'Leave it out for images of one frame.',
    );
}

function checkStudy(value: unknown, faults: Faults): JsonObject | undefined {
  if (value === undefined || isObject(value)) return value;
  faults.error({
    part: 'study_ml_json',
    rule: 'it is an object',
    expected: '{ … }',
    actual: value,
    next: 'Its keys are free.',
  });
  return undefined;
}

function checkSeries(value: unknown, sent: SentImages | undefined, faults: Faults): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  if (value === undefined) return found;
  if (!isObject(value)) {
    faults.error({
      part: 'series_ml_json',
      rule: 'it is an object by SeriesInstanceUID',
      expected: '{ "1.2…": { … } }',
      actual: value,
      next: 'Its keys are UIDs.',
    });
    return found;
  }
  for (const [uid, said] of Object.entries(value)) {
    const { problem } = entryFaults(`series_ml_json[${JSON.stringify(uid)}]`, faults);
    if (sent && !sent.seriesUIDs.includes(uid))
      problem(
        '',
        'the series is one that was sent',
        sent.seriesUIDs.join(' or '),
        uid,
        'Take the SeriesInstanceUID from the header of an image.',
      );
    if (isObject(said)) found.set(uid, said);
    else problem('', 'what is said of a series is an object', '{ … }', said, 'Its keys are free.');
  }
  return found;
}
