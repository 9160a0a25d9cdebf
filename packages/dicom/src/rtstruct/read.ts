/**
 * Reads an RT Structure Set (PS3.3 A.19) as it is, not as it should be: sequences may be missing, numbers may lie, kinds of
 * contours that enclose nothing are kept and told apart. Each liberty is counted by name in `tolerances`.
 */
import type { Dataset } from '../dataset/dataset.js';
import { DicomError } from '../dataset/errors.js';
import type { DicomFile } from '../dataset/parse.js';
import { readCodes } from '../iod/code.js';
import type { RtContour, RtRoi, RtStructureSet, RtTolerance, RtToleranceKind } from './structure-set.js';

const RT_STRUCTURE_SET_MODALITY = 'RTSTRUCT';
const COORDINATES = 3;
const CHANNELS = 3;
const MOST_COLOUR = 255;

class Tolerances {
  readonly #found = new Map<RtToleranceKind, { count: number; where: string }>();

  note(kind: RtToleranceKind, where: string): void {
    const entry = this.#found.get(kind);
    if (entry) entry.count++;
    else this.#found.set(kind, { count: 1, where });
  }

  list(): RtTolerance[] {
    return [...this.#found].map(([kind, { count, where }]) => Object.freeze({ kind, count, where }));
  }
}

/**
 * The ROIs of a structure set, in the order of its Structure Set ROI Sequence. Throws DicomError 'unsupported-object' when
 * the file is no structure set.
 */
export function readRtstruct(file: Pick<DicomFile, 'dataset'>): RtStructureSet {
  const { dataset } = file;
  const hasContent = dataset.has('StructureSetROISequence') || dataset.has('ROIContourSequence');
  if (dataset.string('Modality') !== RT_STRUCTURE_SET_MODALITY && !hasContent)
    throw new DicomError('unsupported-object', 'This DICOM object is not an RT Structure Set.', {
      next: 'Give the RTSTRUCT file of the series.',
    });
  const tolerances = new Tolerances();
  const drafts = new Map<number, Draft>();
  const listed = dataset.items('StructureSetROISequence');
  for (const item of listed) {
    const number = safeNumber(item, 'ROINumber') ?? drafts.size + 1;
    if (drafts.has(number)) tolerances.note('repeated-roi-number', `ROI ${number}`);
    else drafts.set(number, { number, item, contours: [] });
  }
  const draftOf = (number: number): Draft => {
    let draft = drafts.get(number);
    if (!draft) {
      draft = { number, contours: [] };
      drafts.set(number, draft);
      tolerances.note('unlisted-roi', `ROI ${number}`);
    }
    return draft;
  };
  dataset.items('ROIContourSequence').forEach((item, position) => {
    const fallback = safeNumber(listed[position], 'ROINumber') ?? position + 1;
    const draft = draftOf(safeNumber(item, 'ReferencedROINumber') ?? fallback);
    draft.colour ??= readColour(item, draft.number, tolerances);
    item.items('ContourSequence').forEach((contour, n) => {
      const read = readContour(contour, `ROI ${draft.number}, contour ${n + 1}`, tolerances);
      if (read) draft.contours.push(read);
    });
  });
  for (const item of dataset.items('RTROIObservationsSequence')) {
    const number = safeNumber(item, 'ReferencedROINumber');
    if (number !== undefined) draftOf(number).observation ??= item;
  }
  return Object.freeze({
    kind: 'rt-structure-set',
    SOPInstanceUID: dataset.string('SOPInstanceUID') ?? '',
    StudyInstanceUID: dataset.string('StudyInstanceUID') ?? '',
    label: dataset.string('StructureSetLabel') ?? '',
    name: dataset.string('StructureSetName') ?? '',
    ...readReferences(dataset),
    rois: [...drafts.values()].map((draft) => finish(draft, tolerances)),
    tolerances: tolerances.list(),
  });
}

interface Draft {
  readonly number: number;
  readonly item?: Dataset;
  readonly contours: RtContour[];
  observation?: Dataset;
  colour?: readonly [number, number, number];
}

function finish({ number, item, observation, colour, contours }: Draft, tolerances: Tolerances): RtRoi {
  const name = item?.string('ROIName');
  if (!name) tolerances.note('missing-roi-name', `ROI ${number}`);
  if (!observation) tolerances.note('missing-observation', `ROI ${number}`);
  const identification = observation?.items('RTROIIdentificationCodeSequence')[0];
  const code = observation && readCodes(observation, 'RTROIIdentificationCodeSequence')[0];
  const category = observation && readCodes(observation, 'SegmentedPropertyCategoryCodeSequence')[0];
  return Object.freeze({
    number,
    name: name ?? `ROI ${number}`,
    ...(colour ? { colour } : {}),
    interpretedType: observation?.string('RTROIInterpretedType') ?? '',
    generationAlgorithm: item?.string('ROIGenerationAlgorithm') ?? '',
    frameOfReferenceUID: item?.string('ReferencedFrameOfReferenceUID') ?? '',
    ...(code ? { code } : {}),
    ...(category ? { category } : {}),
    modifiers: identification ? readCodes(identification, 'SegmentedPropertyTypeModifierCodeSequence') : [],
    contours,
  });
}

/** A number that is absent or no number at all is undefined here; what it means is decided by the caller. */
function safeNumber(item: Dataset | undefined, keyword: 'ROINumber' | 'ReferencedROINumber' | 'NumberOfContourPoints') {
  const value = Number.parseInt(item?.string(keyword) ?? '', 10);
  return Number.isNaN(value) ? undefined : value;
}

function readColour(
  item: Dataset,
  number: number,
  tolerances: Tolerances,
): readonly [number, number, number] | undefined {
  const values = item.strings('ROIDisplayColor');
  if (values.length === 0) return undefined;
  const channels = values.map(Number);
  if (channels.length !== CHANNELS || !channels.every((value) => value >= 0 && value <= MOST_COLOUR)) {
    tolerances.note('unreadable-colour', `ROI ${number}`);
    return undefined;
  }
  return channels as unknown as readonly [number, number, number];
}

function readContour(item: Dataset, where: string, tolerances: Tolerances): RtContour | undefined {
  let points: Float64Array;
  try {
    points = item.decimals('ContourData');
  } catch (error) {
    if (!(error instanceof DicomError)) throw error;
    tolerances.note('unreadable-contour-data', where);
    return undefined;
  }
  if (points.length === 0) {
    tolerances.note('empty-contour-data', where);
    return undefined;
  }
  if (points.length % COORDINATES !== 0) {
    tolerances.note('incomplete-point', where);
    points = points.subarray(0, points.length - (points.length % COORDINATES));
  }
  if (safeNumber(item, 'NumberOfContourPoints') !== points.length / COORDINATES)
    tolerances.note('wrong-point-count', where);
  let geometricType = item.string('ContourGeometricType');
  if (!geometricType) {
    tolerances.note('missing-geometric-type', where);
    geometricType = points.length === COORDINATES ? 'POINT' : 'CLOSED_PLANAR';
  }
  const referencedSOPInstanceUIDs = item
    .items('ContourImageSequence')
    .flatMap((image) => image.string('ReferencedSOPInstanceUID') ?? []);
  return { points, geometricType, referencedSOPInstanceUIDs };
}

function readReferences(dataset: Dataset): Pick<RtStructureSet, 'frameOfReferenceUIDs' | 'referencedSeriesUIDs'> {
  const frames = new Set<string>();
  const series = new Set<string>();
  const add = (set: Set<string>, value: string | undefined): void => {
    if (value) set.add(value);
  };
  for (const frame of dataset.items('ReferencedFrameOfReferenceSequence')) {
    add(frames, frame.string('FrameOfReferenceUID'));
    for (const study of frame.items('RTReferencedStudySequence'))
      for (const item of study.items('RTReferencedSeriesSequence')) add(series, item.string('SeriesInstanceUID'));
  }
  for (const roi of dataset.items('StructureSetROISequence')) add(frames, roi.string('ReferencedFrameOfReferenceUID'));
  add(frames, dataset.string('FrameOfReferenceUID'));
  return { frameOfReferenceUIDs: [...frames], referencedSeriesUIDs: [...series] };
}
