/**
 * Header of an image object → Instance and its Frames, with geometry and rescale taken from the classic attributes
 * (PS3.3 C.7.6.2) or the functional groups (C.7.6.16). Values that are absent stay undefined: judging them is the
 * assembly's task, because only there it is known whether they are needed.
 */
import type { Vector3 } from '@isocenter/volume';
import type { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';
import { DicomError } from '../dataset/errors.js';
import type { DicomFile } from '../dataset/parse.js';
import { tagOf } from '../dataset/tag.js';
import { layoutOf } from '../dataset/transfer-syntax.js';
import type { Frame, Instance, Rescale, SplitKey } from './frame.js';
import { attributesPerFrame, type FrameAttributes } from './functional-groups.js';
import { mosaicFrames } from './mosaic.js';
import type { InstanceSource } from './source.js';

/** More frames than this in one object is a lie or a film: 16 bits of slices times time points are 65,536. */
const MAX_FRAMES = 65_536;

function required(header: Dataset, keyword: 'Rows' | 'Columns'): number {
  const value = header.number(keyword);
  if (value === undefined || !(value > 0))
    throw new DicomError('missing-attribute', `The image says no ${keyword}.`, {
      where: keyword,
      next: 'Export the image again.',
    });
  return value;
}

/** UIDs from the data set, or from the file's meta group where a de-identifier emptied them. */
export function objectIdentity(file: DicomFile): { SOPClassUID: string; SOPInstanceUID: string } {
  return {
    SOPClassUID: file.dataset.string('SOPClassUID') ?? file.meta.string('MediaStorageSOPClassUID') ?? '',
    SOPInstanceUID: file.dataset.string('SOPInstanceUID') ?? file.meta.string('MediaStorageSOPInstanceUID') ?? '',
  };
}

/** Throws DicomError `missing-attribute`, `unreadable-value` or `limit` when the header cannot describe an image. */
export function readInstance(file: DicomFile, source: InstanceSource): Instance {
  const header = file.dataset;
  const frames = header.number('NumberOfFrames') ?? 1;
  if (!Number.isInteger(frames) || frames < 1 || frames > MAX_FRAMES)
    throw new DicomError('limit', `The image says it has ${frames} frames; 1 to ${MAX_FRAMES} are read.`, {
      where: 'NumberOfFrames',
    });
  if (file.pixelData && file.pixelData.tag !== tagOf('PixelData'))
    throw new DicomError('unsupported-pixels', 'Images of floating-point pixels are not read as a series.', {
      where: 'FloatPixelData',
    });
  const bitsAllocated = header.number('BitsAllocated') ?? 16;
  return {
    source,
    header,
    transferSyntaxUID: file.transferSyntaxUID,
    StudyInstanceUID: header.string('StudyInstanceUID') ?? '',
    SeriesInstanceUID: header.string('SeriesInstanceUID') ?? '',
    ...objectIdentity(file),
    FrameOfReferenceUID: header.string('FrameOfReferenceUID') ?? '',
    Modality: header.string('Modality') ?? '',
    ImageType: header.strings('ImageType'),
    PhotometricInterpretation: header.string('PhotometricInterpretation') ?? '',
    rows: required(header, 'Rows'),
    columns: required(header, 'Columns'),
    frames,
    samplesPerPixel: header.number('SamplesPerPixel') ?? 1,
    bitsAllocated,
    bitsStored: header.number('BitsStored') ?? bitsAllocated,
    signed: header.number('PixelRepresentation') === 1,
    pixelBytes: layoutOf(file.transferSyntaxUID).encoding === 'native' ? file.pixelData?.length : undefined,
  };
}

/** All frames of the instance in stored order; a mosaic gives one frame per tile. */
export function framesOf(instance: Instance): readonly Frame[] {
  const attributes = attributesPerFrame(instance.header, instance.frames);
  const frames = attributes.map((attribute, index) => frameFrom(instance, index, attribute));
  return instance.ImageType.includes('MOSAIC') && frames.length === 1 ? mosaicFrames(frames[0]) : frames;
}

function frameFrom(instance: Instance, index: number, attributes: FrameAttributes): Frame {
  const { header } = instance;
  // Positions of a multi-frame object that is not enhanced (a film, an old NM object) say nothing about single frames.
  const placed = attributes.enhanced || instance.frames === 1;
  const position = placed ? vector(attributes.group('PlanePositionSequence'), 'ImagePositionPatient') : undefined;
  const cosines = placed ? attributes.group('PlaneOrientationSequence')?.numbers('ImageOrientationPatient') : undefined;
  const measures = attributes.group('PixelMeasuresSequence');
  const spacing = pair(measures, 'PixelSpacing');
  let keys: Frame['keys'] | undefined;
  const detector = pair(header, 'ImagerPixelSpacing') ?? pair(header, 'NominalScannedPixelSpacing');
  return {
    instance,
    index,
    rows: instance.rows,
    columns: instance.columns,
    position,
    rowDirection: cosines?.length === 6 ? unit([cosines[0], cosines[1], cosines[2]]) : undefined,
    columnDirection: cosines?.length === 6 ? unit([cosines[3], cosines[4], cosines[5]]) : undefined,
    pixelSpacing: spacing ?? detector,
    spacingAtDetector: spacing === undefined && detector !== undefined,
    sliceThickness: positive(measures?.number('SliceThickness')),
    spacingBetweenSlices: positive(measures?.number('SpacingBetweenSlices') ?? header.number('SpacingBetweenSlices')),
    rescale: rescaleFrom(attributes.group('PixelValueTransformationSequence')),
    // Needed only where images repeat a position: reading them for every slice would take half the time of a scan.
    get keys() {
      keys ??= splitKeys(header, attributes);
      return keys;
    },
  };
}

/** A zero vector stays as it is; the assembly refuses it. */
function unit(v: Vector3): Vector3 {
  const length = Math.hypot(v[0], v[1], v[2]);
  // Only rounding is mended: a direction that is far from unit length is kept, to be found and refused.
  return Math.abs(length - 1) < 0.01 ? [v[0] / length, v[1] / length, v[2] / length] : v;
}

function vector(group: Dataset | undefined, keyword: Keyword): Vector3 | undefined {
  const values = group?.numbers(keyword) ?? [];
  return values.length === 3 && values.every(Number.isFinite) ? [values[0], values[1], values[2]] : undefined;
}

function pair(group: Dataset | undefined, keyword: Keyword): readonly [number, number] | undefined {
  const values = group?.numbers(keyword) ?? [];
  return values.length === 2 && values[0] > 0 && values[1] > 0 ? [values[0], values[1]] : undefined;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function rescaleFrom(group: Dataset | undefined): Rescale | undefined {
  const slope = group?.number('RescaleSlope');
  const intercept = group?.number('RescaleIntercept');
  if (slope === undefined && intercept === undefined) return undefined;
  return { slope: slope ?? 1, intercept: intercept ?? 0, type: group?.string('RescaleType') ?? '' };
}

function splitKeys(header: Dataset, attributes: FrameAttributes): Frame['keys'] {
  const keys: Partial<Record<SplitKey, string>> = {};
  const put = (key: SplitKey, value: string | number | undefined) => {
    if (value !== undefined && value !== '') keys[key] = String(value);
  };
  const { enhanced } = attributes;
  const content = enhanced ? attributes.group('FrameContentSequence') : undefined;
  put('time point', content?.number('TemporalPositionIndex') ?? header.number('TemporalPositionIdentifier'));
  const echo = enhanced ? attributes.group('MREchoSequence')?.number('EffectiveEchoTime') : undefined;
  put('echo', echo ?? header.number('EchoTime') ?? header.string('EchoNumbers'));
  const diffusion = enhanced ? attributes.group('MRDiffusionSequence') : header;
  put('b-value', diffusion?.number('DiffusionBValue'));
  const gradients = enhanced ? diffusion?.items('DiffusionGradientDirectionSequence')[0] : header;
  put('gradient direction', gradients?.numbers('DiffusionGradientOrientation').join('\\'));
  const type = enhanced
    ? (attributes.group('MRImageFrameTypeSequence') ?? attributes.group('CTImageFrameTypeSequence'))?.strings(
        'FrameType',
      )
    : undefined;
  put('image type', (type?.length ? type : header.strings('ImageType')).join('\\'));
  put('stack', content?.string('StackID') ?? header.string('StackID'));
  const trigger = enhanced
    ? attributes.group('CardiacSynchronizationSequence')?.number('NominalCardiacTriggerDelayTime')
    : header.number('TriggerTime');
  put('trigger time', trigger);
  put('acquisition', content?.number('FrameAcquisitionNumber') ?? header.number('AcquisitionNumber'));
  // The position dimension differs in every slice, so only dimensions behind it can tell volumes apart.
  put('dimension indices', content ? otherDimensions(header, content) : undefined);
  const time = content?.string('FrameAcquisitionDateTime');
  put('acquisition time', time ?? header.string('AcquisitionTime'));
  return keys;
}

const POSITION_POINTERS = new Set([0x00209057, 0x00200032, 0x00209113, 0x00201041]);

function otherDimensions(header: Dataset, content: Dataset): string {
  const pointers = header.items('DimensionIndexSequence').map((item) => tagIn(item));
  const values = content.numbers('DimensionIndexValues');
  return values.filter((_, index) => !POSITION_POINTERS.has(pointers[index])).join('\\');
}

/** An AT value is two 16-bit words, group first, in the byte order of the data set; -1 when there is none. */
function tagIn(item: Dataset): number {
  const bytes = item.bytes('DimensionIndexPointer');
  if (bytes === undefined || bytes.length < 4) return -1;
  const word = (at: number) =>
    item.littleEndian ? bytes[at] | (bytes[at + 1] << 8) : (bytes[at] << 8) | bytes[at + 1];
  return word(0) * 65536 + word(2);
}
