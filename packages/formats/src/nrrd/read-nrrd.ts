/** A NRRD file with its data inside, raw or gzipped, as Volumes in LPS; 4-D files give one Volume per channel. */
import { type Affine, makeVolume, type Size3, type Volume, type VoxelArray } from '@isocenter/volume';
import { FormatError } from '../format-error.js';
import type { IntakeLimits } from '../intake/limits.js';
import { gunzipBytes } from '../intake/open-sources.js';
import { decodeSamples, deinterleave, type Endian, SAMPLE_BYTES, type SampleType } from '../voxels/sample-type.js';
import { checkedCount, MAX_CHANNELS } from '../voxels/size-limits.js';
import { type NrrdGrid, nrrdGrid } from './nrrd-geometry.js';
import { parseNrrdHeader } from './nrrd-header.js';

export interface NrrdImage {
  readonly kind: 'nrrd';
  readonly size: Size3;
  /** LPS mm. */
  readonly affine: Affine;
  readonly channels: readonly Volume[];
  readonly fields: ReadonlyMap<string, string>;
  readonly keyValues: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

export interface ReadNrrdOptions {
  /** `one`: an image of several channels is refused as `several-channels`. Default `many`. */
  readonly channels?: 'one' | 'many';
  readonly limits?: IntakeLimits;
}

/** The names of teem's nrrd.h for each type. */
const TYPES: Readonly<Record<string, SampleType>> = {
  'signed char': 'int8',
  int8: 'int8',
  int8_t: 'int8',
  uchar: 'uint8',
  'unsigned char': 'uint8',
  uint8: 'uint8',
  uint8_t: 'uint8',
  short: 'int16',
  'short int': 'int16',
  'signed short': 'int16',
  'signed short int': 'int16',
  int16: 'int16',
  int16_t: 'int16',
  ushort: 'uint16',
  'unsigned short': 'uint16',
  'unsigned short int': 'uint16',
  uint16: 'uint16',
  uint16_t: 'uint16',
  int: 'int32',
  'signed int': 'int32',
  int32: 'int32',
  int32_t: 'int32',
  uint: 'uint32',
  'unsigned int': 'uint32',
  uint32: 'uint32',
  uint32_t: 'uint32',
  longlong: 'int64',
  'long long': 'int64',
  'long long int': 'int64',
  'signed long long': 'int64',
  'signed long long int': 'int64',
  int64: 'int64',
  int64_t: 'int64',
  ulonglong: 'uint64',
  'unsigned long long': 'uint64',
  'unsigned long long int': 'uint64',
  uint64: 'uint64',
  uint64_t: 'uint64',
  float: 'float32',
  double: 'float64',
};

export async function readNrrd(bytes: Uint8Array, options: ReadNrrdOptions = {}): Promise<NrrdImage> {
  const { fields, keyValues, dataOffset } = parseNrrdHeader(bytes);
  const type = sampleType(required(fields, 'type'));
  const sizes = required(fields, 'sizes').split(/\s+/).map(Number);
  if (Number(required(fields, 'dimension')) !== sizes.length)
    throw corrupt('dimension and sizes contradict each other', 'sizes');
  const count = checkedCount(sizes, 'NRRD sizes');
  const grid = nrrdGrid(fields, sizes);
  if (grid.channels > 1 && options.channels === 'one')
    throw new FormatError('several-channels', `The image has ${grid.channels} channels; one is expected`, {
      where: 'NRRD sizes',
      next: 'Give a 3-D image, or take one channel out of this one.',
    });
  if (grid.channels > MAX_CHANNELS)
    throw new FormatError('too-large', `The image has ${grid.channels} channels`, {
      where: 'NRRD sizes',
      next: `At most ${MAX_CHANNELS} are allowed.`,
    });
  const endian = endianOf(fields, type);
  const raw = await unpacked(bytes.subarray(dataOffset), fields, options);
  const data = decodeSamples(raw, type, endian, count, 'NRRD data');
  const channels = splitChannels(data, grid, sizes).map((part) => makeVolume(part, grid.size, grid.affine));
  return Object.freeze({
    kind: 'nrrd',
    size: grid.size,
    affine: grid.affine,
    channels,
    fields,
    keyValues,
    notes: grid.notes,
  });
}

/**
 * Where the voxels of a 3-D file lie, from its header alone; `start` begins the file and holds the header, `fileBytes` is the
 * length of the whole. Throws FormatError as readNrrd does; only raw data can be judged by its length.
 */
export function readNrrdGrid(start: Uint8Array, fileBytes: number): { readonly size: Size3; readonly affine: Affine } {
  const { fields, dataOffset } = parseNrrdHeader(start);
  const sizes = required(fields, 'sizes').split(/\s+/).map(Number);
  const count = checkedCount(sizes, 'NRRD sizes');
  const { size, affine, channels } = nrrdGrid(fields, sizes);
  if (channels > 1)
    throw new FormatError('several-channels', `The image has ${channels} channels; one is expected`, {
      where: 'NRRD sizes',
    });
  if (required(fields, 'encoding').toLowerCase() !== 'raw')
    throw new FormatError('unsupported-encoding', 'Without its values, an image is taken from raw NRRD files only', {
      where: 'NRRD encoding',
    });
  if (dataOffset + count * SAMPLE_BYTES[sampleType(required(fields, 'type'))] > fileBytes)
    throw new FormatError('truncated', 'The NRRD file ends before its last voxel', { where: 'NRRD data' });
  return { size, affine };
}

function required(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined) throw corrupt(`The field "${name}" is missing`, name);
  return value;
}

function corrupt(message: string, where: string): FormatError {
  return new FormatError('corrupt', `The NRRD header is damaged: ${message}`, {
    where: `NRRD ${where}`,
    next: 'Export the file again.',
  });
}

function sampleType(name: string): SampleType {
  const type = Object.hasOwn(TYPES, name.toLowerCase()) ? TYPES[name.toLowerCase()] : undefined;
  if (!type)
    throw new FormatError('unsupported-datatype', 'The sample type of the NRRD is not supported', {
      where: 'NRRD type',
      next: 'Save the image with an integer or floating-point type.',
    });
  return type;
}

function endianOf(fields: ReadonlyMap<string, string>, type: SampleType): Endian {
  const endian = fields.get('endian')?.toLowerCase();
  if (endian === 'little' || endian === 'big') return endian;
  if (SAMPLE_BYTES[type] > 1) throw corrupt('the byte order is not given', 'endian');
  return 'little';
}

async function unpacked(data: Uint8Array, fields: ReadonlyMap<string, string>, options: ReadNrrdOptions) {
  if (['line skip', 'byte skip'].some((field) => Number(fields.get(field) ?? 0) !== 0))
    throw new FormatError('unsupported-feature', 'Skipped lines or bytes are not supported', {
      where: 'NRRD byte skip',
      next: 'Save header and data in one .nrrd file.',
    });
  const encoding = required(fields, 'encoding').toLowerCase();
  if (encoding === 'raw') return data;
  if (encoding === 'gzip' || encoding === 'gz') return gunzipBytes(data, options.limits);
  throw new FormatError('unsupported-encoding', 'The encoding of the NRRD is not supported', {
    where: 'NRRD encoding',
    next: 'Save it with the encoding raw or gzip.',
  });
}

/** Channel axis first: interleaved; last: one after the other; anywhere else is nobody's habit and refused. */
function splitChannels(data: VoxelArray, grid: NrrdGrid, sizes: readonly number[]): VoxelArray[] {
  if (grid.channelAxis === undefined) return [data];
  const voxels = data.length / grid.channels;
  const each = Array.from({ length: grid.channels }, (_, channel) => channel);
  if (grid.channelAxis === 0)
    return grid.channels === 1 ? [data] : each.map((c) => deinterleave(data, grid.channels, c));
  if (grid.channelAxis === sizes.length - 1)
    return each.map((c) => data.subarray(c * voxels, (c + 1) * voxels) as VoxelArray);
  throw new FormatError('unsupported-feature', 'Channels between two spatial axes are not supported', {
    where: 'NRRD kinds',
    next: 'Save the channels as the first or the last axis.',
  });
}
