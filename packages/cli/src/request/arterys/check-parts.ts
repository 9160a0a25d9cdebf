/** Rules of `parts`: each entry held against its binary part and the images that were sent. */
import { looksLikeDicom, parseDicom } from '@isocenter/dicom';
import { isFailure } from '@isocenter/volume';
import { DICOM_TYPE } from './check-envelope.js';
import { type Faults, said } from './faults.js';
import { isObject, isText, type JsonObject } from './json-shapes.js';
import { checkLabelMap, checkPalette, checkThreshold } from './mask-options.js';
import { type PlacedPart, placeMask } from './place-mask.js';
import type { AnswerPart } from './read-answer.js';
import type { SentImages } from './sent-images.js';

export const MASK_TYPES = ['probability_mask', 'boolean_mask', 'heatmap', 'numeric_label_mask'] as const;
export const DICOM_TYPES = ['dicom_secondary_capture', 'dicom', 'dicom_structured_report', 'dicom_gsps'] as const;

export interface PartContext {
  /** Names of the answer's palettes. */
  readonly palettes: ReadonlySet<string>;
  readonly sent: SentImages | undefined;
  readonly studyUID: string | undefined;
  readonly faults: Faults;
}

/** One entry of `parts` with its bytes, as far as it could be understood. */
export interface CheckedPart {
  readonly index: number;
  readonly label: string;
  readonly type: string;
  readonly entry: JsonObject;
  readonly body: Buffer | undefined;
  readonly dicom: boolean;
  /** Where its planes lie; undefined for DICOM, and for masks that fit no image. */
  readonly placed: PlacedPart | undefined;
}

const KEYS = [
  'label',
  'binary_type',
  'binary_data_shape',
  'SeriesInstanceUID',
  'dicom_image',
  'probability_threshold',
  'palette',
  'label_map',
  'dicomConformance',
];

export function checkParts(entries: unknown, binaries: readonly AnswerPart[], context: PartContext): CheckedPart[] {
  const list = Array.isArray(entries) ? entries : [];
  if (Array.isArray(entries) && list.length !== binaries.length)
    context.faults.error({
      part: 'parts',
      rule: 'there is one binary part for each entry of `parts`',
      expected: `${list.length} binary parts`,
      actual: said(`${binaries.length}`),
      next: 'Return as many buffers as entries, in the same order; what is too much is dropped by viewers.',
    });
  return list.map((entry, index) => checkPart(entry, index, binaries[index], context));
}

function checkPart(value: unknown, index: number, binary: AnswerPart | undefined, context: PartContext): CheckedPart {
  const place = `parts[${index}]`;
  const { faults } = context;
  const problem = (field: string, rule: string, expected: string, actual: unknown, next: string) =>
    faults.error({ part: field === '' ? place : `${place}.${field}`, rule, expected, actual, next });
  const entry = isObject(value) ? value : {};
  if (!isObject(value))
    problem('', 'an entry is an object', '{ label, binary_type, … }', value, 'See the shapes of the protocol.');
  const { label, binary_type: type } = entry;
  if (!isText(label)) problem('label', 'it has a label', 'a string', label, 'Say what the part shows.');
  const dicom = (DICOM_TYPES as readonly unknown[]).includes(type);
  const mask = (MASK_TYPES as readonly unknown[]).includes(type);
  if (!dicom && !mask)
    problem(
      'binary_type',
      'its type is known',
      [...MASK_TYPES, ...DICOM_TYPES].join(', '),
      type,
      'Check the spelling.',
    );
  if (type === 'dicom_structured_report' || type === 'dicom_gsps')
    faults.warning({
      part: `${place}.binary_type`,
      rule: 'gateways take these types',
      expected: 'dicom or dicom_secondary_capture',
      actual: type,
      next: 'Some gateways answer 500 to it; "dicom" is taken by all.',
    });
  for (const key of Object.keys(entry))
    if (!KEYS.includes(key))
      faults.warning({
        part: place,
        rule: 'viewers know these keys',
        expected: KEYS.join(', '),
        actual: said(`a key ${JSON.stringify(key)}`),
        next: 'Check the spelling; it has no effect.',
      });
  checkConformance(entry.dicomConformance, problem);
  checkType(binary, index, dicom, mask, faults);
  if (mask) {
    checkThreshold(entry, place, faults);
    checkPalette(entry, place, context.palettes, faults);
    checkLabelMap(entry, place, binary?.body, faults);
  }
  const placed = mask ? placeMask(entry, place, binary?.body, context.sent, faults) : undefined;
  if (dicom && binary) checkDicom(binary.body, `elem_${index}`, context);
  return {
    index,
    label: typeof label === 'string' ? label : '',
    type: typeof type === 'string' ? type : '',
    entry,
    body: binary?.body,
    dicom,
    placed,
  };
}

function checkType(binary: AnswerPart | undefined, index: number, dicom: boolean, mask: boolean, faults: Faults): void {
  if (!binary) return;
  const type = binary.headers.get('content-type');
  const isDicom = type?.toLowerCase().startsWith(DICOM_TYPE) === true;
  if (type === undefined || (!dicom && !mask) || isDicom === dicom) return;
  faults.error({
    part: `elem_${index}`,
    rule: 'the type of the binary part follows from binary_type',
    expected: dicom ? DICOM_TYPE : 'application/binary',
    actual: type,
    next: 'Readers tell masks from DICOM objects by it.',
  });
}

function checkConformance(
  value: unknown,
  problem: (field: string, rule: string, expected: string, actual: unknown, next: string) => void,
): void {
  if (value === undefined) return;
  const recommended = isObject(value) ? value.recommended : undefined;
  const sound = (item: unknown) =>
    isObject(item) && typeof item.description === 'string' && typeof item.compliant === 'boolean';
  if (!Array.isArray(recommended) || !recommended.every(sound))
    problem(
      'dicomConformance',
      'it lists recommendations',
      '{ recommended: [ { description: string, compliant: boolean } ] }',
      value,
      'Give each recommendation both fields.',
    );
}

function checkDicom(body: Buffer, place: string, { studyUID, faults }: PartContext): void {
  const wrong = (actual: string): void => {
    faults.error({
      part: place,
      rule: 'it is a DICOM file',
      expected: '128 bytes, "DICM", a data set with its SOP Instance UID',
      actual: said(actual),
      next: 'Write it with its meta group, as to a file.',
    });
  };
  if (!looksLikeDicom(body)) {
    wrong(`${body.length} bytes that are no DICOM`);
    return;
  }
  try {
    const { dataset } = parseDicom(body);
    if (!dataset.has('SOPInstanceUID') || !dataset.has('SOPClassUID'))
      wrong('a data set without SOP Class or Instance UID');
    const study = dataset.string('StudyInstanceUID');
    if (studyUID !== undefined && study !== studyUID)
      faults.warning({
        part: place,
        rule: 'the object belongs to the study of the request',
        expected: `StudyInstanceUID ${studyUID}`,
        actual: study,
        next: 'Copy patient and study attributes from an image of the request, or it is filed elsewhere.',
      });
  } catch (error) {
    if (!isFailure(error)) throw error;
    wrong(error.message);
  }
}
