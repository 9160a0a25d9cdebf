/** Volumes as one NRRD0004 or NRRD0005 file in left-posterior-superior, the space that is ours: nothing is converted. */
import { originOf, sameGrid, sameTypeArray, type Volume } from '@isocenter/volume';
import { FormatError } from '../format-error.js';
import { gzipParts } from '../voxels/gzip-parts.js';
import { littleEndianBytes, type SampleType, sampleTypeOf } from '../voxels/sample-type.js';

export interface WriteNrrdOptions {
  /** Default true. */
  readonly gzip?: boolean;
  /** gzip level, default 1. */
  readonly level?: number;
  /** Where the channels of several volumes stand: behind space (default), or before it, one after the other at each voxel. */
  readonly channelAxis?: 'last' | 'first';
  /** Written as `key:=value`, in this order; never put patient data here. */
  readonly keyValues?: Iterable<readonly [string, string]>;
}

const TYPE_NAMES: Partial<Record<SampleType, string>> = {
  int8: 'int8',
  uint8: 'uint8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  float32: 'float',
  float64: 'double',
};

/** One Volume gives a 3-D file; several of one grid and type give a 4-D one with the channels as last axis ("list"). */
export async function writeNrrd(volumes: Volume | readonly Volume[], options: WriteNrrdOptions = {}): Promise<Buffer> {
  const list = 'kind' in volumes ? [volumes] : volumes;
  const gzip = options.gzip !== false;
  const first = options.channelAxis === 'first' && list.length > 1;
  const header = Buffer.from(makeHeader(list, gzip, first, options.keyValues ?? []), 'utf8');
  const parts = first ? [littleEndianBytes(interleaved(list))] : list.map((volume) => littleEndianBytes(volume.data));
  return Buffer.concat([header, ...(gzip ? [await gzipParts(parts, options.level)] : parts)]);
}

/** The values of all volumes at one voxel together. */
function interleaved(list: readonly Volume[]): Volume['data'] {
  const { data } = list[0];
  const out = sameTypeArray(data, data.length * list.length);
  list.forEach((volume, channel) => {
    for (let n = 0, at = channel; n < data.length; n++, at += list.length) out[at] = volume.data[n];
  });
  return out;
}

function makeHeader(
  list: readonly Volume[],
  gzip: boolean,
  channelsFirst: boolean,
  keyValues: Iterable<readonly [string, string]>,
): string {
  const [first] = list;
  if (
    !first ||
    list.some((volume) => !sameGrid(volume, first) || sampleTypeOf(volume.data) !== sampleTypeOf(first.data))
  )
    throw new FormatError('invalid-value', 'The channels of one NRRD file need one grid and one number type', {
      where: 'NRRD channels',
      next: 'Resample the channels onto one grid, or write one file each.',
    });
  const many = list.length > 1;
  const axes = (space: string, channel: string) =>
    !many ? space : channelsFirst ? `${channel} ${space}` : `${space} ${channel}`;
  const column = (axis: number) => `(${[0, 4, 8].map((row) => first.affine[row + axis]).join(',')})`;
  const lines = [
    'NRRD0005',
    `type: ${TYPE_NAMES[sampleTypeOf(first.data)]}`,
    `dimension: ${many ? 4 : 3}`,
    'space: left-posterior-superior',
    `sizes: ${axes(first.size.join(' '), String(list.length))}`,
    `space directions: ${axes(`${column(0)} ${column(1)} ${column(2)}`, 'none')}`,
    `kinds: ${axes('domain domain domain', 'list')}`,
    'endian: little',
    `encoding: ${gzip ? 'gzip' : 'raw'}`,
    `space origin: (${originOf(first.affine).join(',')})`,
    ...[...keyValues].map(([key, value]) => `${checkedKey(key)}:=${escaped(value)}`),
  ];
  return `${lines.join('\n')}\n\n`;
}

/** A colon would make the pair a field, a number sign the line a comment. */
function checkedKey(key: string): string {
  if (key === '' || key.includes(':') || key.startsWith('#'))
    throw new FormatError('invalid-value', 'A NRRD key must not be empty, hold a colon or begin with #', {
      where: 'NRRD key',
      next: 'This is a fault of the caller: report it.',
    });
  return escaped(key);
}

/** A newline would end the line. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replace(/\r?\n/g, '\\n');
}
