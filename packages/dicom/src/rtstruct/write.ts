/**
 * RT Structure Set (PS3.3 A.19): structures of label maps as closed planar contours along voxel edges, in the slice planes
 * of the images they were made from. Modules: patient, study, RT series, equipment, structure set, ROI contour,
 * observations, approval, SOP common.
 */
import {
  type HoleMode,
  type LabelContours,
  ringArea,
  type Segmentation,
  type Structure,
  sameGrid,
  traceLabelMap,
  type Watch,
} from '@isocenter/volume';
import { Dataset } from '../dataset/dataset.js';
import { DicomError } from '../dataset/errors.js';
import { writeDicom } from '../dataset/serialize.js';
import { ANATOMICAL_STRUCTURE, codeItem } from '../iod/code.js';
import { addCommonModules, addFrameOfReference, type ObjectOptions } from '../iod/modules.js';
import { describeProvenance, modelId } from '../iod/provenance.js';
import { canBeNamed, identified, imageItem, seriesItems } from '../iod/references.js';
import { distinctNames, LO_LENGTH, plainText, SH_LENGTH, ST_LENGTH } from '../iod/text.js';
import type { ReferenceSeries } from '../series/reference.js';
import { ContourDataWriter, decimalsFor } from './contour-data.js';
import { PROFILES, type ProfileRules, type RtstructProfile } from './profile.js';

export const RT_STRUCTURE_SET_STORAGE = '1.2.840.10008.5.1.4.1.1.481.3';
const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
/** Registered planning systems read three decimals; InnerEye wrote exactly these. */
const INNEREYE_DECIMALS = 3;
const CUBIC_MM_PER_CC = 1000;

export interface RtstructOptions extends ObjectOptions, Watch {
  /** Which readers see holes: docs/reference/rtstruct-readers.md. */
  readonly holes: HoleMode;
  /** Pixels by which rings are drawn inside of the voxel edges, for readers that paint borders; default 0 (contour/inset.ts). */
  readonly inset?: number;
  /** Default 'strict'. */
  readonly profile?: RtstructProfile;
  /** Structure Set Label, 16 characters at most. */
  readonly label?: string;
  /** Structure Set Name. */
  readonly name?: string;
  /** Software Versions of the profile 'innereye', whose clients compare it with the id that they asked for; default `name:version`. */
  readonly modelId?: string;
  /** ROI Interpreter, a person name. */
  readonly interpreter?: string;
  /** Decimals of contour data; default 3, more for voxels below 0.5 mm. */
  readonly decimals?: number;
  /** Default implicit VR little endian, which every planning system takes and which has no 64 kB limit on a contour. */
  readonly transferSyntaxUID?: string;
}

/**
 * The file bytes of an RTSTRUCT of `segmentation`, which must lie on the grid of `reference` (any orientation). Every
 * structure becomes an ROI, also one without voxels. Throws DicomError 'geometry' for another grid or too few slices.
 */
export function writeRtstruct(
  segmentation: Segmentation,
  given: ReferenceSeries,
  options: RtstructOptions,
): Uint8Array {
  checkGrid(segmentation, given);
  const reference = identified(given, options.uid);
  const rules = PROFILES[options.profile ?? 'strict'];
  const frameOfReferenceUID = reference.FrameOfReferenceUID;
  const names = distinctNames(
    segmentation.structures.map((structure) => structure.name),
    'ROI',
  );
  const dataset = new Dataset();
  addCommonModules(dataset, RT_STRUCTURE_SET_STORAGE, 'RTSTRUCT', reference, options);
  dataset.set('Manufacturer', plainText(rules.manufacturer(options.provenance), LO_LENGTH));
  dataset.set('SoftwareVersions', asked(options, rules));
  dataset.set('OperatorsName', undefined);
  addFrameOfReference(dataset, reference, frameOfReferenceUID);
  addStructureSet(dataset, reference, options, rules, frameOfReferenceUID);
  const traced = segmentation.layers.map((layer) => contoursByLabel(layer, options));
  const contoursOf = (index: number): LabelContours | undefined => {
    const { layer, label } = segmentation.structures[index];
    return traced[layer]?.get(label);
  };
  dataset.set(
    'StructureSetROISequence',
    segmentation.structures.map((_, n) =>
      roiItem(names[n], n + 1, frameOfReferenceUID, contoursOf(n), reference, options, rules),
    ),
  );
  dataset.set('ROIContourSequence', roiContourItems(segmentation, contoursOf, reference, options, rules));
  dataset.set(
    'RTROIObservationsSequence',
    segmentation.structures.map((structure, n) => observationItem(structure, n, options, rules)),
  );
  if (rules.descriptions) dataset.set('ApprovalStatus', 'UNAPPROVED');
  return writeDicom(dataset, { transferSyntaxUID: options.transferSyntaxUID ?? IMPLICIT_VR_LITTLE_ENDIAN });
}

function asked({ modelId, profile, provenance }: RtstructOptions, rules: ProfileRules): string | readonly string[] {
  const id = profile === 'innereye' && modelId ? plainText(modelId, LO_LENGTH) : '';
  return id || rules.softwareVersions(provenance);
}

function checkGrid(segmentation: Segmentation, reference: ReferenceSeries): void {
  if (!sameGrid(segmentation.grid, reference.grid))
    throw new DicomError('geometry', 'The segmentation does not lie on the grid of the reference series.', {
      where: reference.SeriesInstanceUID,
      next: 'Resample the segmentation to the grid of the series first.',
    });
  if (reference.slices.length !== reference.grid.size[2])
    throw new DicomError('geometry', 'The reference series does not name an image for each slice of its grid.');
}

function contoursByLabel(layer: Segmentation['layers'][number], options: RtstructOptions): Map<number, LabelContours> {
  const { holes, inset, progress, signal } = options;
  return new Map(
    traceLabelMap(layer, { holes, inset, progress, signal }).map((contours) => [contours.label, contours]),
  );
}

function addStructureSet(
  dataset: Dataset,
  reference: ReferenceSeries,
  options: RtstructOptions,
  rules: ProfileRules,
  frameOfReferenceUID: string,
): void {
  const { date, time } = rules.structureSetDateTime(options.now, dataset);
  const description = rules.descriptions ? describeProvenance(options.provenance, ST_LENGTH) : undefined;
  if (!rules.descriptions) {
    dataset.set('SeriesDescription', options.seriesDescription);
    if (!dataset.has('StudyDescription')) dataset.set('StudyDescription', undefined);
  } else dataset.set('InstanceNumber', 1);
  dataset.set('StructureSetLabel', plainText(options.label ?? '', SH_LENGTH) || rules.defaultLabel);
  dataset.set('StructureSetName', plainText(options.name ?? '', LO_LENGTH) || undefined);
  dataset.set('StructureSetDescription', description);
  dataset.set('StructureSetDate', date);
  dataset.set('StructureSetTime', time);
  const frame = new Dataset().set('FrameOfReferenceUID', frameOfReferenceUID);
  const series = seriesItems(reference, 'ContourImageSequence');
  if (series.length > 0)
    frame.set('RTReferencedStudySequence', [
      new Dataset()
        .set('ReferencedSOPClassUID', rules.referencedStudyClass)
        .set('ReferencedSOPInstanceUID', reference.StudyInstanceUID)
        .set('RTReferencedSeriesSequence', series),
    ]);
  dataset.set('ReferencedFrameOfReferenceSequence', [frame]);
}

function roiItem(
  name: string,
  number: number,
  frameOfReferenceUID: string,
  contours: LabelContours | undefined,
  reference: ReferenceSeries,
  options: RtstructOptions,
  rules: ProfileRules,
): Dataset {
  const item = new Dataset()
    .set('ROINumber', number)
    .set('ReferencedFrameOfReferenceUID', frameOfReferenceUID)
    .set('ROIName', name)
    .set('ROIGenerationAlgorithm', rules.generationAlgorithm);
  if (rules.descriptions) {
    // Along voxel edges the enclosed area counts the pixels; with an inset it does not.
    if (!options.inset) item.set('ROIVolume', volumeCc(contours, reference));
    item.set('ROIGenerationDescription', modelId(options.provenance));
  }
  return item;
}

/** Pixels enclosed (the shoelace sum along voxel edges counts them) times the volume of a voxel. */
function volumeCc(contours: LabelContours | undefined, reference: ReferenceSeries): number {
  const m = reference.grid.affine;
  const voxel = Math.abs(
    m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8]),
  );
  let pixels = 0;
  for (const plane of contours?.planes ?? []) for (const ring of plane.rings) pixels += ringArea(ring);
  return Number(((pixels * voxel) / CUBIC_MM_PER_CC).toFixed(3));
}

function roiContourItems(
  segmentation: Segmentation,
  contoursOf: (index: number) => LabelContours | undefined,
  reference: ReferenceSeries,
  options: RtstructOptions,
  rules: ProfileRules,
): Dataset[] {
  const innereye = options.profile === 'innereye';
  const decimals = options.decimals ?? (innereye ? INNEREYE_DECIMALS : decimalsFor(reference.grid.affine));
  const writer = new ContourDataWriter(reference.grid.affine, decimals, rules.trimDecimals);
  // Data sets of items are never changed after they are made, so all contours of a slice share the reference to it.
  const images = reference.slices.map((slice) => (canBeNamed(slice) ? [imageItem(slice)] : undefined));
  return segmentation.structures.map((structure, n) => {
    const item = new Dataset()
      .set('ROIDisplayColor', structure.colour.map(Math.round))
      .set('ReferencedROINumber', n + 1);
    const contours: Dataset[] = [];
    for (const { k, rings } of contoursOf(n)?.planes ?? [])
      for (const ring of rings) {
        const contour = new Dataset();
        const image = images[k];
        if (image) contour.set('ContourImageSequence', image);
        contour
          .set('ContourGeometricType', 'CLOSED_PLANAR')
          .set('NumberOfContourPoints', ring.length / 2)
          .set('ContourData', writer.write(ring, k));
        contours.push(contour);
      }
    if (contours.length > 0 || rules.emptyContourSequence) item.set('ContourSequence', contours);
    return item;
  });
}

function observationItem(structure: Structure, index: number, options: RtstructOptions, rules: ProfileRules): Dataset {
  const item = new Dataset()
    .set('ObservationNumber', index + rules.firstObservationNumber)
    .set('ReferencedROINumber', index + 1)
    .set('RTROIInterpretedType', rules.interpretedType(structure.interpretedType) || undefined)
    .set('ROIInterpreter', plainText(options.interpreter ?? rules.interpreter, LO_LENGTH) || undefined);
  if (rules.descriptions && structure.code) {
    item.set('SegmentedPropertyCategoryCodeSequence', [codeItem(structure.category ?? ANATOMICAL_STRUCTURE)]);
    item.set('RTROIIdentificationCodeSequence', [codeItem(structure.code, structure.modifiers)]);
  }
  return item;
}
