/** Coded concepts as sequence items (PS3.3 8.8) and the few that every writer here needs. */
import type { Code } from '@isocenter/volume';
import { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';
import { LO_LENGTH, plainText, SH_LENGTH } from './text.js';

const dcm = (value: string, meaning: string): Code => Object.freeze({ value, scheme: 'DCM', meaning });
const sct = (value: string, meaning: string): Code => Object.freeze({ value, scheme: 'SCT', meaning });

export const PROCESSING_EQUIPMENT = dcm('109102', 'Processing Equipment');
export const SEGMENTATION = dcm('113076', 'Segmentation');
export const SOURCE_IMAGE = dcm('121322', 'Source image for image processing operation');
export const ARTIFICIAL_INTELLIGENCE = dcm('123110', 'Artificial Intelligence');
/** Fallbacks for a structure whose author gave no code. */
export const ANATOMICAL_STRUCTURE = sct('123037004', 'Anatomical Structure');
export const TISSUE = sct('85756007', 'Tissue');

/** Longer values do not fit Code Value (SH) and go to Long Code Value (PS3.3 8.1). */
const CODE_VALUE_LENGTH = 16;

/** One item of a code sequence. Throws DicomError 'invalid-value' through Dataset.set on an unencodable code. */
export function codeItem(code: Code, modifiers: readonly Code[] = []): Dataset {
  const item = new Dataset();
  item.set(code.value.length > CODE_VALUE_LENGTH ? 'LongCodeValue' : 'CodeValue', code.value);
  item.set('CodingSchemeDesignator', plainText(code.scheme, SH_LENGTH));
  item.set('CodeMeaning', plainText(code.meaning, LO_LENGTH) || code.value);
  if (modifiers.length > 0)
    item.set(
      'SegmentedPropertyTypeModifierCodeSequence',
      modifiers.map((modifier) => codeItem(modifier)),
    );
  return item;
}

function codeOf(item: Dataset): Code | undefined {
  const value = item.string('CodeValue') ?? item.string('LongCodeValue') ?? item.string('URNCodeValue');
  if (value === undefined) return undefined;
  return { value, scheme: item.string('CodingSchemeDesignator') ?? '', meaning: item.string('CodeMeaning') ?? '' };
}

/** Codes of a code sequence; items without a value are left out. */
export function readCodes(dataset: Dataset, sequence: Keyword): readonly Code[] {
  return dataset.items(sequence).flatMap((item) => codeOf(item) ?? []);
}
