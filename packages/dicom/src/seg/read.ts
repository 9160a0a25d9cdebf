/**
 * Reads Segmentation and Label Map Segmentation objects of any maker: bit-packed, bytes or words, sparse, overlapping,
 * frames in any order. Tolerances are counted by name; what cannot be believed is a typed error.
 */
import type { Vector3 } from '@isocenter/volume';
import type { Dataset } from '../dataset/dataset.js';
import { DicomError } from '../dataset/errors.js';
import type { DicomFile } from '../dataset/parse.js';
import { layoutOf } from '../dataset/transfer-syntax.js';
import { readProvenance } from '../iod/provenance.js';
import { decodeFrames } from '../pixel/decode.js';
import { attributesPerFrame } from '../series/functional-groups.js';
import type { SegFrame, SegObject, SegTolerance, SegToleranceKind } from './seg-object.js';
import { readSegment, type Segment } from './segments.js';

const TYPES: Readonly<Record<string, SegObject['type']>> = {
  BINARY: 'binary',
  FRACTIONAL: 'fractional',
  LABELMAP: 'labelmap',
};
const DEFAULT_MAXIMUM_FRACTION = 255;
const BITS_PER_BYTE = 8;
const COSINES = 6;

/**
 * Segments, frames and pixels of a segmentation; pixels of native syntaxes are views on the file. Throws DicomError
 * 'unsupported-object' (no segmentation), 'missing-attribute', 'truncated', and what decodeFrames throws.
 */
export async function readSeg(file: DicomFile): Promise<SegObject> {
  const { dataset } = file;
  const type = TYPES[dataset.string('SegmentationType') ?? ''];
  if (!type)
    throw new DicomError('unsupported-object', 'This DICOM object is no segmentation of a known type.', {
      where: 'SegmentationType',
      next: 'Give a SEG file of type BINARY, FRACTIONAL or LABELMAP.',
    });
  const rows = required(dataset, 'Rows');
  const columns = required(dataset, 'Columns');
  const notes = new Map<SegToleranceKind, { count: number; where: string }>();
  const note = (kind: SegToleranceKind, where: string): void => {
    const known = notes.get(kind);
    if (known) known.count++;
    else notes.set(kind, { count: 1, where });
  };
  const segments = readSegments(dataset, note);
  const frames = readFrames(dataset, type, segments, note);
  const { pixels, packed } = await readPixels(file, rows * columns, frames.length);
  const tolerances = [...notes].map(([kind, entry]): SegTolerance => Object.freeze({ kind, ...entry }));
  return Object.freeze({
    kind: 'seg-object',
    type,
    fractionalType: dataset.string('SegmentationFractionalType'),
    maximumFraction: dataset.number('MaximumFractionalValue') ?? DEFAULT_MAXIMUM_FRACTION,
    rows,
    columns,
    segments,
    frames,
    SOPInstanceUID: dataset.string('SOPInstanceUID') ?? '',
    FrameOfReferenceUID: dataset.string('FrameOfReferenceUID') ?? '',
    referencedSeriesUIDs: dataset
      .items('ReferencedSeriesSequence')
      .flatMap((item) => item.string('SeriesInstanceUID') ?? []),
    provenance: readProvenance(dataset),
    tolerances,
    pixels,
    packed,
  });
}

type Note = (kind: SegToleranceKind, where: string) => void;

function required(dataset: Dataset, keyword: 'Rows' | 'Columns'): number {
  const value = dataset.number(keyword);
  if (!value)
    throw new DicomError('missing-attribute', `The segmentation does not say its ${keyword}.`, { where: keyword });
  return value;
}

function readSegments(dataset: Dataset, note: Note): Segment[] {
  const byNumber = new Map<number, Segment>();
  dataset.items('SegmentSequence').forEach((item, index) => {
    const segment = readSegment(item, index + 1);
    if (byNumber.has(segment.number)) note('repeated-segment-number', `segment ${segment.number}`);
    else byNumber.set(segment.number, segment);
  });
  byNumber.delete(0);
  return [...byNumber.values()];
}

function readFrames(dataset: Dataset, type: SegObject['type'], segments: Segment[], note: Note): SegFrame[] {
  const described = dataset.items('PerFrameFunctionalGroupsSequence').length;
  const said = dataset.number('NumberOfFrames') ?? 1;
  if (described > 0 && described !== said) note('frame-count', 'NumberOfFrames');
  const count = described > 0 ? Math.min(said, described) : said;
  const numbers = new Set(segments.map(({ number }) => number));
  // Frames share their functional groups' items rarely, so each is read once and told by value.
  return attributesPerFrame(dataset, count).map((attributes, index) => {
    let segment: number | undefined;
    if (type !== 'labelmap') {
      segment = attributes.group('SegmentIdentificationSequence')?.number('ReferencedSegmentNumber');
      if (segment === undefined && segments.length === 1) {
        segment = segments[0].number;
        note('unnamed-frame', `frame ${index + 1}`);
      }
      if (segment === undefined)
        throw new DicomError('missing-attribute', 'A frame of the segmentation does not say which segment it shows.', {
          where: `frame ${index + 1}`,
        });
      if (!numbers.has(segment)) {
        note('unlisted-segment', `segment ${segment}`);
        numbers.add(segment);
        segments.push(unlisted(segment));
      }
    }
    const measures = attributes.group('PixelMeasuresSequence');
    const cosines = attributes.group('PlaneOrientationSequence')?.numbers('ImageOrientationPatient') ?? [];
    const spacing = measures?.numbers('PixelSpacing') ?? [];
    return {
      segment,
      position: vector(attributes.group('PlanePositionSequence')?.numbers('ImagePositionPatient') ?? []),
      rowDirection: cosines.length === COSINES ? unit(cosines.slice(0, 3)) : undefined,
      columnDirection: cosines.length === COSINES ? unit(cosines.slice(3)) : undefined,
      pixelSpacing: spacing.length === 2 ? [spacing[0], spacing[1]] : undefined,
      sliceSpacing: measures?.number('SpacingBetweenSlices') ?? measures?.number('SliceThickness'),
    };
  });
}

/** A segment that only frames or pixels speak of. */
export function unlisted(number: number): Segment {
  return {
    number,
    name: `Segment ${number}`,
    colour: [128, 128, 128],
    interpretedType: '',
    algorithmType: '',
    algorithmName: '',
  };
}

function vector(values: readonly number[]): Vector3 | undefined {
  return values.length === 3 ? [values[0], values[1], values[2]] : undefined;
}

function unit(values: readonly number[]): Vector3 | undefined {
  const length = Math.hypot(...values);
  return length > 0 ? vector(values.map((value) => value / length)) : undefined;
}

/** Native pixels in place (one bit, or little endian bytes and words); everything else through the decoders. */
async function readPixels(
  file: DicomFile,
  perFrame: number,
  frames: number,
): Promise<Pick<SegObject, 'pixels' | 'packed'>> {
  const bits = file.dataset.number('BitsAllocated') ?? 1;
  const syntax = layoutOf(file.transferSyntaxUID);
  const bytes = file.pixelData?.element?.bytes;
  if (bytes && syntax.encoding === 'native' && bits <= BITS_PER_BYTE && (syntax.littleEndian || bits > 1)) {
    const needed = Math.ceil((perFrame * frames * bits) / BITS_PER_BYTE);
    if (bytes.length < needed)
      throw new DicomError('truncated', `The pixel data has ${bytes.length} bytes; ${frames} frames need ${needed}.`, {
        where: 'PixelData',
      });
    return { pixels: bytes, packed: bits === 1 };
  }
  const { data } = await decodeFrames(file);
  if (!(data instanceof Uint8Array || data instanceof Uint16Array))
    throw new DicomError('unsupported-pixels', 'Pixels of a segmentation must be unsigned, of at most 16 bits.', {
      where: 'BitsAllocated',
    });
  if (data.length < perFrame * frames) throw new DicomError('truncated', 'There are fewer pixels than frames need.');
  return { pixels: data, packed: false };
}
