/** Segment Description macro (PS3.3 C.8.20.4): what each segment is, to and from our structures. */
import type { Code, Structure } from '@isocenter/volume';
import { Dataset } from '../dataset/dataset.js';
import { ANATOMICAL_STRUCTURE, ARTIFICIAL_INTELLIGENCE, codeItem, readCodes, TISSUE } from '../iod/code.js';
import { type Lab16, lab16ToRgb, rgbToLab16 } from '../iod/colour.js';
import { modelId, type Provenance, parametersOf } from '../iod/provenance.js';
import { distinctNames, LO_LENGTH, plainText } from '../iod/text.js';

const LAB_CHANNELS = 3;
const GREY: readonly [number, number, number] = [128, 128, 128];

/** A segment as an object describes it. */
export interface Segment extends Structure {
  readonly number: number;
  readonly algorithmType: string;
  readonly algorithmName: string;
  readonly trackingID?: string;
  readonly trackingUID?: string;
  /** Segmented Property Category and Type of a background segment (number 0) too. */
  readonly code?: Code;
}

/** Segment Sequence: numbers from 1 in the order of `structures`. */
export function segmentItems(structures: readonly Structure[], provenance: Provenance, uid: () => string): Dataset[] {
  const names = distinctNames(
    structures.map((structure) => structure.name),
    'Segment',
  );
  const algorithm = new Dataset()
    .set('AlgorithmFamilyCodeSequence', [codeItem(ARTIFICIAL_INTELLIGENCE)])
    .set('AlgorithmName', plainText(provenance.modelName, LO_LENGTH) || 'Isocenter')
    .set('AlgorithmVersion', plainText(provenance.modelVersion, LO_LENGTH) || 'unknown')
    .set('AlgorithmParameters', parametersOf(provenance))
    .set('AlgorithmSource', plainText(provenance.manufacturer ?? 'Isocenter', LO_LENGTH));
  return structures.map((structure, index) =>
    new Dataset()
      .set('SegmentNumber', index + 1)
      .set('SegmentLabel', names[index])
      .set('SegmentAlgorithmType', 'AUTOMATIC')
      .set('SegmentAlgorithmName', modelId(provenance))
      .set('SegmentationAlgorithmIdentificationSequence', [algorithm])
      .set('SegmentedPropertyCategoryCodeSequence', [codeItem(structure.category ?? ANATOMICAL_STRUCTURE)])
      .set('SegmentedPropertyTypeCodeSequence', [codeItem(structure.code ?? TISSUE, structure.modifiers)])
      .set('RecommendedDisplayCIELabValue', [...rgbToLab16(structure.colour)])
      .set('TrackingID', names[index])
      .set('TrackingUID', uid()),
  );
}

/** Reads one item of Segment Sequence; `number` is used when it names none. */
export function readSegment(item: Dataset, number: number): Segment {
  const code = readCodes(item, 'SegmentedPropertyTypeCodeSequence')[0];
  const category = readCodes(item, 'SegmentedPropertyCategoryCodeSequence')[0];
  const typeItem = item.items('SegmentedPropertyTypeCodeSequence')[0];
  const modifiers = typeItem ? readCodes(typeItem, 'SegmentedPropertyTypeModifierCodeSequence') : [];
  const lab = item.numbers('RecommendedDisplayCIELabValue');
  const trackingID = item.string('TrackingID');
  const trackingUID = item.string('TrackingUID');
  const own = item.number('SegmentNumber') ?? number;
  return Object.freeze({
    number: own,
    name: item.string('SegmentLabel') ?? code?.meaning ?? `Segment ${own}`,
    colour: lab.length === LAB_CHANNELS ? lab16ToRgb(lab as unknown as Lab16) : GREY,
    interpretedType: '',
    ...(code ? { code } : {}),
    ...(category ? { category } : {}),
    ...(modifiers.length > 0 ? { modifiers } : {}),
    algorithmType: item.string('SegmentAlgorithmType') ?? '',
    algorithmName: item.string('SegmentAlgorithmName') ?? '',
    ...(trackingID ? { trackingID } : {}),
    ...(trackingUID ? { trackingUID } : {}),
  });
}
