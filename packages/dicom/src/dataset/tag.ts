/** Tags as numbers (group << 16 | element, unsigned) and their keywords (PS3.6 by way of the dictionary). */
import type { Keyword } from './dictionary.generated.js';
import { lookUpKeyword, lookUpTag } from './dictionary.js';
import { DicomError } from './errors.js';

export type Tag = number;

/** Throws DicomError 'invalid-value' when the keyword is in no dictionary (only possible past the type checker). */
export function tagOf(keyword: Keyword): Tag {
  const tag = lookUpKeyword(keyword);
  if (tag === undefined) throw new DicomError('invalid-value', `No DICOM attribute has the keyword ${keyword}.`);
  return tag;
}

/** undefined for private and unknown tags; for a repeating group (60xx) the keyword of the whole group. */
export function keywordOf(tag: Tag): Keyword | undefined {
  return lookUpTag(tag)?.keyword as Keyword | undefined;
}

/** '(0010,0010)' */
export function formatTag(tag: Tag): string {
  const hex = (tag >>> 0).toString(16).padStart(8, '0').toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}

/** '(0010,0010) PatientName' for messages. */
export function nameTag(tag: Tag): string {
  const keyword = keywordOf(tag);
  return keyword ? `${formatTag(tag)} ${keyword}` : formatTag(tag);
}

/** Odd group: PS3.5 7.8. */
export function isPrivateTag(tag: Tag): boolean {
  return (tag & 0x10000) !== 0;
}

/** (gggg,0010-00FF) with odd gggg reserves a private block: PS3.5 7.8.1. */
export function isPrivateCreator(tag: Tag): boolean {
  const element = tag & 0xffff;
  return isPrivateTag(tag) && element >= 0x10 && element <= 0xff;
}
