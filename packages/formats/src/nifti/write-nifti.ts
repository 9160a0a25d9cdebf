/** Volumes as single-file NIfTI-1, little-endian, dtype kept, the same bytes for the same content. */
import { lpsToRas, type Size3, sameGrid, spacingOf, type Volume } from '@isocenter/volume';
import { FormatError } from '../format-error.js';
import { gzipParts } from '../voxels/gzip-parts.js';
import { littleEndianBytes, type SampleType, sampleTypeOf } from '../voxels/sample-type.js';
import { quaternionOf } from './nifti-affine.js';
import { DATA_OFFSET_1, DATATYPES, HEADER_BYTES_1 } from './nifti-header.js';

export interface WriteNiftiOptions {
  /** Default true. */
  readonly gzip?: boolean;
  /** gzip level, default 1. */
  readonly level?: number;
  /** At most 79 ASCII characters; never put patient data here. */
  readonly description?: string;
}

/** dim[] is 16 bits wide in NIfTI-1. */
const MAX_DIM = 32_767;
/** sform_code and qform_code 1: scanner coordinates. */
const SCANNER = 1;
/** xyzt_units: millimetres (2) and seconds (8). */
const MM_AND_SECONDS = 10;
const DESCRIPTION_BYTES = 79;

/** One Volume gives a 3-D file, several of one grid and type a 4-D one. sform and qform are both written; a sheared grid has no qform. */
export async function writeNifti(
  volumes: Volume | readonly Volume[],
  options: WriteNiftiOptions = {},
): Promise<Buffer> {
  const list = 'kind' in volumes ? [volumes] : volumes;
  const header = makeHeader(list, options.description ?? '');
  const parts = [header, ...list.map((volume) => littleEndianBytes(volume.data))];
  return options.gzip === false ? Buffer.concat(parts) : gzipParts(parts, options.level);
}

function makeHeader(list: readonly Volume[], description: string): Buffer {
  const first = checkAlike(list);
  const type = sampleTypeOf(first.data);
  const ras = lpsToRas(first.affine);
  const spacing = spacingOf(ras);
  const rotation = quaternionOf(ras);
  const header = Buffer.alloc(DATA_OFFSET_1);
  header.writeInt32LE(HEADER_BYTES_1, 0);
  // "r" for regular: unused, but Analyze-era readers look for it.
  header[38] = 0x72;
  const dims = [list.length > 1 ? 4 : 3, ...first.size, list.length, 1, 1, 1];
  dims.forEach((n, i) => {
    header.writeInt16LE(n, 40 + 2 * i);
  });
  header.writeInt16LE(datatypeCode(type), 70);
  header.writeInt16LE(first.data.BYTES_PER_ELEMENT * 8, 72);
  [rotation?.qfac ?? 1, ...spacing, 1, 1, 1, 1].forEach((value, i) => {
    header.writeFloatLE(value, 76 + 4 * i);
  });
  header.writeFloatLE(DATA_OFFSET_1, 108);
  header.writeFloatLE(1, 112);
  header[123] = MM_AND_SECONDS;
  header.write(description.replace(/[^\x20-\x7e]/g, '?').slice(0, DESCRIPTION_BYTES), 148, 'latin1');
  if (rotation) {
    header.writeInt16LE(SCANNER, 252);
    [...rotation.bcd, ras[3], ras[7], ras[11]].forEach((value, i) => {
      header.writeFloatLE(value, 256 + 4 * i);
    });
  }
  header.writeInt16LE(SCANNER, 254);
  ras.slice(0, 12).forEach((value, i) => {
    header.writeFloatLE(value, 280 + 4 * i);
  });
  header.write('n+1\0', 344, 'latin1');
  return header;
}

function checkAlike(list: readonly Volume[]): Volume {
  const [first] = list;
  if (
    !first ||
    list.some((volume) => !sameGrid(volume, first) || sampleTypeOf(volume.data) !== sampleTypeOf(first.data))
  )
    throw new FormatError('invalid-value', 'The channels of one NIfTI file need one grid and one number type', {
      where: 'NIfTI channels',
      next: 'Resample the channels onto one grid, or write one file each.',
    });
  if ([...(first.size as Size3), list.length].some((n) => n > MAX_DIM))
    throw new FormatError('too-large', `NIfTI-1 axes end at ${MAX_DIM}`, { where: 'dim', next: 'Write NRRD instead.' });
  return first;
}

function datatypeCode(type: SampleType): number {
  for (const [code, datatype] of DATATYPES) if (datatype.type === type && datatype.samples === 1) return code;
  throw new FormatError('unsupported-datatype', `NIfTI cannot hold ${type}`, { where: 'datatype' });
}
