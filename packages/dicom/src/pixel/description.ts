/** The image pixel attributes (PS3.3 C.7.6.3), checked: what the bytes should be, before anything is allocated from it. */
import type { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';
import { DicomError } from '../dataset/errors.js';

export type SampleKind = 'integer' | 'float32' | 'float64';

export interface PixelDescription {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  /** 1: two's complement. */
  readonly pixelRepresentation: 0 | 1;
  readonly photometric: string;
  /** 1: colour by plane in the bytes of uncompressed pixel data. */
  readonly planarConfiguration: 0 | 1;
  readonly kind: SampleKind;
}

/** Rows and Columns are US; more is a wrong VR or damage. */
const MAX_SIDE = 65535;
/** All decoded frames of one object: far above whole-body scans (2 GB), far below what typed arrays allow (8 GB). */
const MAX_DECODED_BYTES = 6 * 2 ** 30;
const MAX_FRAMES = 2 ** 24;
const FLOAT_PIXEL_DATA = 0x7fe00008;
const DOUBLE_FLOAT_PIXEL_DATA = 0x7fe00009;
const INTEGER_BITS = [1, 8, 16, 32];

function whole(dataset: Dataset, keyword: Keyword, fallback?: number): number {
  const value = dataset.number(keyword) ?? fallback;
  if (value === undefined)
    throw new DicomError('missing-attribute', `The image has no ${keyword}.`, {
      where: keyword,
      next: 'Without it the pixel data cannot be understood; get the object again from its source.',
    });
  if (!Number.isInteger(value) || value < 0)
    throw new DicomError('inconsistent', `${keyword} is not a whole number.`, { where: keyword });
  return value;
}

function inRange(keyword: string, value: number, low: number, high: number): number {
  if (value < low || value > high)
    throw new DicomError('inconsistent', `${keyword} is ${value}; it must lie between ${low} and ${high}.`, {
      where: keyword,
    });
  return value;
}

/** Number of frames, 1 where (0028,0008) is absent or empty. Throws DicomError 'inconsistent' or 'unreadable-value'. */
export function frameCount(dataset: Dataset): number {
  return inRange('NumberOfFrames', whole(dataset, 'NumberOfFrames', 1) || 1, 1, MAX_FRAMES);
}

function sampleKind(pixelTag: number | undefined): SampleKind {
  if (pixelTag === FLOAT_PIXEL_DATA) return 'float32';
  return pixelTag === DOUBLE_FLOAT_PIXEL_DATA ? 'float64' : 'integer';
}

/**
 * Reads and checks the image pixel attributes. `pixelTag`: which of the three pixel data attributes the object has.
 * Throws DicomError 'missing-attribute', 'inconsistent', 'unsupported-pixels' or 'limit'.
 */
export function describePixels(dataset: Dataset, pixelTag?: number): PixelDescription {
  const rows = inRange('Rows', whole(dataset, 'Rows'), 1, MAX_SIDE);
  const columns = inRange('Columns', whole(dataset, 'Columns'), 1, MAX_SIDE);
  const frames = frameCount(dataset);
  const samplesPerPixel = inRange('SamplesPerPixel', whole(dataset, 'SamplesPerPixel', 1), 1, 4);
  const kind = sampleKind(pixelTag);
  const bitsAllocated = kind === 'integer' ? whole(dataset, 'BitsAllocated') : kind === 'float32' ? 32 : 64;
  if (kind === 'integer' && !INTEGER_BITS.includes(bitsAllocated))
    throw new DicomError('unsupported-pixels', `BitsAllocated ${bitsAllocated} is not supported (1, 8, 16, 32 are).`, {
      where: 'BitsAllocated',
    });
  const bitsStored =
    kind === 'integer'
      ? inRange('BitsStored', whole(dataset, 'BitsStored', bitsAllocated), 1, bitsAllocated)
      : bitsAllocated;
  const highBit = kind === 'integer' ? whole(dataset, 'HighBit', bitsStored - 1) : bitsAllocated - 1;
  inRange('HighBit', highBit, bitsStored - 1, bitsAllocated - 1);
  const bytes = rows * columns * samplesPerPixel * frames * Math.ceil(bitsAllocated / 8);
  if (bytes > MAX_DECODED_BYTES)
    throw new DicomError('limit', `The decoded image would take ${bytes} bytes; ${MAX_DECODED_BYTES} is the limit.`, {
      where: 'Rows x Columns x NumberOfFrames',
    });
  return {
    rows,
    columns,
    frames,
    samplesPerPixel,
    bitsAllocated,
    bitsStored,
    highBit,
    pixelRepresentation: kind === 'integer' && dataset.number('PixelRepresentation') === 1 ? 1 : 0,
    photometric: dataset.string('PhotometricInterpretation') ?? (samplesPerPixel === 1 ? 'MONOCHROME2' : 'RGB'),
    planarConfiguration: samplesPerPixel > 1 && dataset.number('PlanarConfiguration') === 1 ? 1 : 0,
    kind,
  };
}

/** Samples of one decoded frame. */
export function frameSamples(description: PixelDescription): number {
  return description.rows * description.columns * description.samplesPerPixel;
}

/** Bytes of one sample after decoding: 1-bit pixels become bytes. */
export function sampleBytes(description: PixelDescription): number {
  return Math.max(1, description.bitsAllocated / 8);
}
