/** Content items of a structured report (PS3.3 C.17.3): a tree of coded names with values. */
import type { Code } from '@isocenter/volume';
import { Dataset } from '../dataset/dataset.js';
import { codeItem } from '../iod/code.js';
import { LO_LENGTH, plainText } from '../iod/text.js';

export type Relationship = 'CONTAINS' | 'HAS OBS CONTEXT' | 'HAS CONCEPT MOD' | 'HAS PROPERTIES' | 'INFERRED FROM';

/** UT: as good as unlimited, but nobody reads more. */
const TEXT_LENGTH = 10240;

function item(relationship: Relationship, type: string, name: Code, children: readonly Dataset[] = []): Dataset {
  const dataset = new Dataset()
    .set('RelationshipType', relationship)
    .set('ValueType', type)
    .set('ConceptNameCodeSequence', [codeItem(name)]);
  if (children.length > 0) dataset.set('ContentSequence', children);
  return dataset;
}

export function container(relationship: Relationship, name: Code, children: readonly Dataset[]): Dataset {
  return item(relationship, 'CONTAINER', name, children).set('ContinuityOfContent', 'SEPARATE');
}

export function codeContent(
  relationship: Relationship,
  name: Code,
  value: Code,
  children: readonly Dataset[] = [],
): Dataset {
  return item(relationship, 'CODE', name, children).set('ConceptCodeSequence', [codeItem(value)]);
}

export function textContent(relationship: Relationship, name: Code, value: string): Dataset {
  return item(relationship, 'TEXT', name).set('TextValue', plainText(value, TEXT_LENGTH));
}

export function uidContent(relationship: Relationship, name: Code, value: string): Dataset {
  return item(relationship, 'UIDREF', name).set('UID', value);
}

/** A measured number with its unit; finite. */
export function numberContent(
  relationship: Relationship,
  name: Code,
  value: number,
  unit: Code,
  children: readonly Dataset[] = [],
): Dataset {
  const measured = new Dataset()
    .set('NumericValue', [value])
    .set('MeasurementUnitsCodeSequence', [codeItem({ ...unit, meaning: plainText(unit.meaning, LO_LENGTH) })]);
  return item(relationship, 'NUM', name, children).set('MeasuredValueSequence', [measured]);
}

export interface ImageReference {
  readonly SOPClassUID: string;
  readonly SOPInstanceUID: string;
  /** For an image with frames. */
  readonly frameNumbers?: readonly number[];
  /** For a segmentation. */
  readonly segmentNumber?: number;
}

export function imageContent(relationship: Relationship, name: Code, reference: ImageReference): Dataset {
  const sop = new Dataset()
    .set('ReferencedSOPClassUID', reference.SOPClassUID)
    .set('ReferencedSOPInstanceUID', reference.SOPInstanceUID);
  if (reference.frameNumbers) sop.set('ReferencedFrameNumber', reference.frameNumbers);
  if (reference.segmentNumber !== undefined) sop.set('ReferencedSegmentNumber', [reference.segmentNumber]);
  return item(relationship, 'IMAGE', name).set('ReferencedSOPSequence', [sop]);
}
