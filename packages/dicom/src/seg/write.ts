/**
 * Segmentation (PS3.3 A.51) and Label Map Segmentation (A.104): structures as multi-frame pixels on the grid of the images
 * they were made from. Modules: patient, study, segmentation series, frame of reference, enhanced equipment, segmentation
 * image, functional groups, dimensions, common instance reference, SOP common.
 */
import { type Segmentation, type Size3, sameGrid, type Volume } from '@isocenter/volume';
import { Dataset } from '../dataset/dataset.js';
import { fragmentsElement } from '../dataset/element.js';
import { DicomError } from '../dataset/errors.js';
import { writeDicom } from '../dataset/serialize.js';
import { tagOf } from '../dataset/tag.js';
import { RLE_LOSSLESS } from '../dataset/transfer-syntax.js';
import { localDateTime } from '../iod/date-time.js';
import { addCommonModules, addFrameOfReference, type ObjectOptions } from '../iod/modules.js';
import { describeProvenance } from '../iod/provenance.js';
import { identified, seriesItems } from '../iod/references.js';
import { LO_LENGTH, plainText, SH_LENGTH } from '../iod/text.js';
import { encodeRle } from '../pixel/rle.js';
import type { ReferenceSeries } from '../series/reference.js';
import { addDimensions, frameGroups, sharedGroups } from './functional-groups.js';
import { binaryPixels, fractionalPixels, labelmapPixels, MAXIMUM_FRACTION, type SegPixels } from './pixels.js';
import { segmentItems } from './segments.js';

export const SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.4';
export const LABEL_MAP_SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.7';

export type SegType = 'binary' | 'fractional' | 'labelmap';

export interface SegOptions extends ObjectOptions {
  readonly type: SegType;
  /** Also frames without a voxel; default false. */
  readonly emptyFrames?: boolean;
  /** For type 'fractional', by structure: 0..1 in floats or 0..255 in bytes, on the segmentation's grid. */
  readonly fractions?: readonly Volume<Float32Array | Uint8Array>[];
  /** What a fraction means; default 'PROBABILITY'. */
  readonly fractionalType?: 'PROBABILITY' | 'OCCUPANCY';
  /** RLE lossless frames, for label maps and fractions; one-bit frames have no compression that readers know. Default false. */
  readonly rle?: boolean;
  /** Content Label, a code string; default 'SEGMENTATION'. */
  readonly contentLabel?: string;
  readonly contentDescription?: string;
}

/**
 * The file bytes of a SEG of `segmentation`, which must lie on the grid of `reference`; segment n + 1 is structure n.
 * Throws DicomError 'geometry' for another grid, 'unsupported-object' for overlapping structures as a label map or no
 * structure at all, 'unsupported-pixels' for RLE of single bits, 'missing-attribute' for fractions that are not given, 'limit' above 4 GB.
 */
export function writeSeg(segmentation: Segmentation, given: ReferenceSeries, options: SegOptions): Uint8Array {
  const reference = identified(given, options.uid);
  if (!sameGrid(segmentation.grid, reference.grid))
    throw new DicomError('geometry', 'The segmentation does not lie on the grid of the reference series.', {
      where: reference.SeriesInstanceUID,
      next: 'Resample the segmentation to the grid of the series first.',
    });
  if (segmentation.structures.length === 0)
    throw new DicomError('unsupported-object', 'A DICOM segmentation needs at least one structure.');
  const labelmap = options.type === 'labelmap';
  const pixels = pixelsOf(segmentation, options);
  const dataset = new Dataset();
  const SOPClassUID = labelmap ? LABEL_MAP_SEGMENTATION_STORAGE : SEGMENTATION_STORAGE;
  addCommonModules(dataset, SOPClassUID, 'SEG', reference, { ...options, seriesNumber: options.seriesNumber ?? 1 });
  addFrameOfReference(dataset, reference, reference.FrameOfReferenceUID);
  addContent(dataset, options);
  addImage(dataset, segmentation, pixels, options);
  dataset.set('SegmentSequence', segmentItems(segmentation.structures, options.provenance, options.uid));
  const series = seriesItems(reference, 'ReferencedInstanceSequence');
  if (series.length > 0) dataset.set('ReferencedSeriesSequence', series);
  addDimensions(dataset, !labelmap, options.uid());
  dataset.set('SharedFunctionalGroupsSequence', [sharedGroups(reference)]);
  dataset.set('PerFrameFunctionalGroupsSequence', frameGroups(pixels.frames, reference));
  if (options.rle) {
    dataset.put(fragmentsElement(tagOf('PixelData'), 'OB', rleFragments(pixels, segmentation.grid.size)));
    return writeDicom(dataset, { transferSyntaxUID: RLE_LOSSLESS });
  }
  dataset.set('PixelData', pixels.bytes, pixels.bitsAllocated === 16 ? 'OW' : 'OB');
  return writeDicom(dataset);
}

/** An empty offset table (PS3.5 A.4 allows it), then one fragment a frame. */
function rleFragments({ bytes, frames, bitsAllocated }: SegPixels, [columns, rows]: Size3): Uint8Array[] {
  if (bitsAllocated === 1)
    throw new DicomError('unsupported-pixels', 'A binary segmentation cannot be written with RLE compression.', {
      where: 'BitsAllocated',
      next: "Write it without, or as type 'labelmap'.",
    });
  const perFrame = (rows * columns * bitsAllocated) / 8;
  const fragments = frames.map((_, f) =>
    encodeRle(bytes.subarray(f * perFrame, (f + 1) * perFrame), rows, columns, 1, bitsAllocated / 8),
  );
  return [new Uint8Array(0), ...fragments];
}

function pixelsOf(segmentation: Segmentation, options: SegOptions): SegPixels {
  const emptyFrames = options.emptyFrames ?? false;
  if (options.type === 'binary') return binaryPixels(segmentation, emptyFrames);
  if (options.type === 'labelmap') return labelmapPixels(segmentation, emptyFrames);
  if (options.fractions?.length !== segmentation.structures.length)
    throw new DicomError('missing-attribute', 'A fractional segmentation needs the fractions of each structure.');
  return fractionalPixels(segmentation, options.fractions, emptyFrames);
}

/** Content Identification (PS3.3 10.9) and the dates of General Image. */
function addContent(dataset: Dataset, options: SegOptions): void {
  const { date, time } = localDateTime(options.now, dataset);
  dataset.set('InstanceNumber', 1);
  dataset.set('ContentDate', date);
  dataset.set('ContentTime', time);
  dataset.set('ContentLabel', plainText(options.contentLabel ?? 'SEGMENTATION', SH_LENGTH));
  const description = options.contentDescription ?? describeProvenance(options.provenance, LO_LENGTH);
  dataset.set('ContentDescription', plainText(description, LO_LENGTH));
  dataset.set('ContentCreatorName', undefined);
}

function addImage(dataset: Dataset, segmentation: Segmentation, pixels: SegPixels, options: SegOptions): void {
  const [ni, nj] = segmentation.grid.size;
  dataset.set('ImageType', ['DERIVED', 'PRIMARY']);
  dataset.set('SamplesPerPixel', 1);
  dataset.set('PhotometricInterpretation', 'MONOCHROME2');
  dataset.set('NumberOfFrames', pixels.frames.length);
  dataset.set('Rows', nj);
  dataset.set('Columns', ni);
  dataset.set('BitsAllocated', pixels.bitsAllocated);
  dataset.set('BitsStored', pixels.bitsAllocated);
  dataset.set('HighBit', pixels.bitsAllocated - 1);
  dataset.set('PixelRepresentation', 0);
  dataset.set('BurnedInAnnotation', 'NO');
  dataset.set('LossyImageCompression', '00');
  dataset.set('SegmentationType', options.type.toUpperCase());
  if (options.type === 'fractional') {
    dataset.set('SegmentationFractionalType', options.fractionalType ?? 'PROBABILITY');
    dataset.set('MaximumFractionalValue', MAXIMUM_FRACTION);
  } else dataset.set('SegmentsOverlap', overlapOf(segmentation));
  // Value 0 of a label map is no segment.
  if (options.type === 'labelmap') dataset.set('PixelPaddingValue', 0);
}

/** Structures of one label map cannot overlap; of several, one common voxel tells. */
function overlapOf({ layers, structures }: Segmentation): 'YES' | 'NO' {
  const used = [...new Set(structures.map(({ layer }) => layer))].map((layer) => layers[layer].data);
  for (let a = 1; a < used.length; a++)
    for (let b = 0; b < a; b++)
      for (let n = 0; n < used[a].length; n++) if (used[a][n] !== 0 && used[b][n] !== 0) return 'YES';
  return 'NO';
}
