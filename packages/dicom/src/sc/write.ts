/**
 * Secondary Capture (PS3.3 A.8): pictures for people, such as an overlay of contours on a slice. One picture makes a classic
 * Secondary Capture Image; several make a multi-frame one, grayscale byte (A.8.3) or true colour (A.8.5).
 */
import { Dataset } from '../dataset/dataset.js';
import { DicomError } from '../dataset/errors.js';
import { writeDicom } from '../dataset/serialize.js';
import { tagOf } from '../dataset/tag.js';
import { localDateTime } from '../iod/date-time.js';
import { addCommonModules, type ObjectOptions } from '../iod/modules.js';
import { describeProvenance } from '../iod/provenance.js';
import { distinctInstances, identified, instanceItem, seriesItems } from '../iod/references.js';
import { ST_LENGTH } from '../iod/text.js';
import type { ReferenceSeries } from '../series/reference.js';

export const SECONDARY_CAPTURE_STORAGE = '1.2.840.10008.5.1.4.1.1.7';
export const MULTI_FRAME_GRAYSCALE_BYTE_SC_STORAGE = '1.2.840.10008.5.1.4.1.1.7.2';
export const MULTI_FRAME_TRUE_COLOR_SC_STORAGE = '1.2.840.10008.5.1.4.1.1.7.4';

/** 8-bit pixels row by row, top row first; colour interleaved R G B. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

export interface SecondaryCaptureOptions extends ObjectOptions {
  /** Image Comments; default: what made it. */
  readonly comment?: string;
  readonly instanceNumber?: number;
}

const BITS = 8;
const MILLISECONDS_PER_FRAME = 100;
const LONGEST_SIDE = 65535;

/**
 * The file bytes of a secondary capture of pictures of one size. Pixel spacing is not written: a picture is not for
 * measuring. Throws DicomError 'inconsistent' when sizes differ or data does not fill them.
 */
export function writeSecondaryCapture(
  pictures: readonly Picture[],
  given: ReferenceSeries,
  options: SecondaryCaptureOptions,
): Uint8Array {
  const reference = identified(given, options.uid);
  const first = pictures[0];
  if (!first) throw new DicomError('inconsistent', 'A secondary capture needs at least one picture.');
  pictures.forEach((picture, n) => {
    checkPicture(picture, first, n);
  });
  const several = pictures.length > 1;
  const colour = first.channels === 3;
  const multiFrameClass = colour ? MULTI_FRAME_TRUE_COLOR_SC_STORAGE : MULTI_FRAME_GRAYSCALE_BYTE_SC_STORAGE;
  const dataset = new Dataset();
  addCommonModules(dataset, several ? multiFrameClass : SECONDARY_CAPTURE_STORAGE, 'OT', reference, options);
  const { date, time } = localDateTime(options.now, dataset);
  // Type 2C of General Series; a picture of a whole slice has no side.
  dataset.set('Laterality', undefined);
  dataset.set('ConversionType', 'WSD');
  dataset.set('InstanceNumber', options.instanceNumber ?? 1);
  dataset.set('PatientOrientation', undefined);
  dataset.set('ContentDate', date);
  dataset.set('ContentTime', time);
  dataset.set('ImageType', ['DERIVED', 'SECONDARY']);
  dataset.set('ImageComments', options.comment ?? describeProvenance(options.provenance, ST_LENGTH));
  dataset.set('BurnedInAnnotation', 'NO');
  dataset.set('LossyImageCompression', '00');
  const sources = distinctInstances(reference.slices).map(instanceItem);
  if (sources.length > 0) dataset.set('SourceImageSequence', sources);
  if (several) {
    const series = seriesItems(reference, 'ReferencedInstanceSequence');
    if (series.length > 0) dataset.set('ReferencedSeriesSequence', series);
    dataset.set('NumberOfFrames', pictures.length);
    dataset.set('FrameIncrementPointer', tagOf('FrameTime'));
    dataset.set('FrameTime', [MILLISECONDS_PER_FRAME]);
  }
  addPixels(dataset, pictures, first);
  return writeDicom(dataset);
}

function checkPicture({ width, height, channels, data }: Picture, first: Picture, n: number): void {
  if (width !== first.width || height !== first.height || channels !== first.channels)
    throw new DicomError('inconsistent', 'The pictures of a secondary capture differ in size or colour.', {
      where: `picture ${n + 1}`,
    });
  const size = width > 0 && height > 0 && Math.max(width, height) <= LONGEST_SIDE;
  if (!size || data.length !== width * height * channels)
    throw new DicomError(
      'inconsistent',
      `${data.length} bytes do not fill a picture of ${width} × ${height} × ${channels}.`,
      {
        where: `picture ${n + 1}`,
      },
    );
}

function addPixels(dataset: Dataset, pictures: readonly Picture[], first: Picture): void {
  const perFrame = first.data.length;
  const bytes = new Uint8Array(perFrame * pictures.length);
  pictures.forEach(({ data }, n) => {
    bytes.set(data, n * perFrame);
  });
  dataset.set('SamplesPerPixel', first.channels);
  dataset.set('PhotometricInterpretation', first.channels === 3 ? 'RGB' : 'MONOCHROME2');
  if (first.channels === 3) dataset.set('PlanarConfiguration', 0);
  else if (pictures.length > 1) {
    dataset.set('RescaleIntercept', [0]);
    dataset.set('RescaleSlope', [1]);
    dataset.set('RescaleType', 'US');
    dataset.set('PresentationLUTShape', 'IDENTITY');
  }
  dataset.set('Rows', first.height);
  dataset.set('Columns', first.width);
  dataset.set('BitsAllocated', BITS);
  dataset.set('BitsStored', BITS);
  dataset.set('HighBit', BITS - 1);
  dataset.set('PixelRepresentation', 0);
  dataset.set('PixelData', bytes, 'OB');
}
