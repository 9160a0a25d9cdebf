/** The fixed headers of NIfTI-1 (348 bytes, nifti1.h) and NIfTI-2 (540 bytes, nifti2.h), both byte orders, as plain values. */
import { FormatError } from '../format-error.js';
import type { Endian, SampleType } from '../voxels/sample-type.js';

export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly endian: Endian;
  /** dim[1..rank]: samples along each axis, x first. */
  readonly dims: readonly number[];
  /** pixdim[0..7]; [0] is qfac. */
  readonly pixdim: readonly number[];
  readonly datatype: number;
  readonly voxOffset: number;
  readonly slope: number;
  readonly intercept: number;
  readonly qformCode: number;
  readonly sformCode: number;
  /** b, c, d of the unit quaternion. */
  readonly quaternion: readonly [number, number, number];
  readonly qoffset: readonly [number, number, number];
  /** srow_x, srow_y, srow_z: 12 numbers, row by row. */
  readonly srows: readonly number[];
  readonly xyztUnits: number;
  readonly description: string;
}

export const HEADER_BYTES_1 = 348;
export const HEADER_BYTES_2 = 540;
/** Header and the four bytes that say whether extensions follow. */
export const DATA_OFFSET_1 = 352;
export const DATA_OFFSET_2 = 544;

/** nifti1.h datatype codes; `samples` above 1 are colour channels of one voxel. */
export const DATATYPES: ReadonlyMap<number, { readonly type: SampleType; readonly samples: number }> = new Map([
  [2, { type: 'uint8', samples: 1 }],
  [4, { type: 'int16', samples: 1 }],
  [8, { type: 'int32', samples: 1 }],
  [16, { type: 'float32', samples: 1 }],
  [64, { type: 'float64', samples: 1 }],
  [128, { type: 'uint8', samples: 3 }],
  [256, { type: 'int8', samples: 1 }],
  [512, { type: 'uint16', samples: 1 }],
  [768, { type: 'uint32', samples: 1 }],
  [1024, { type: 'int64', samples: 1 }],
  [1280, { type: 'uint64', samples: 1 }],
  [2304, { type: 'uint8', samples: 4 }],
] as const);

const NOT_NIFTI = 'Give a NIfTI file (.nii or .nii.gz), or name the right format.';

/** Throws FormatError `not-this-format`, `truncated`, `detached-data`, `corrupt`. */
export function parseNiftiHeader(bytes: Uint8Array): NiftiHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes.byteLength >= 4 ? view.getInt32(0, true) : 0;
  const big = bytes.byteLength >= 4 ? view.getInt32(0, false) : 0;
  for (const size of [HEADER_BYTES_1, HEADER_BYTES_2]) {
    if (little !== size && big !== size) continue;
    if (bytes.byteLength < size)
      throw new FormatError('truncated', `The NIfTI header needs ${size} bytes, ${bytes.byteLength} are there`, {
        where: 'NIfTI header',
        next: 'Copy or export the file again.',
      });
    return size === HEADER_BYTES_1 ? parse1(view, little === size) : parse2(view, little === size);
  }
  throw new FormatError('not-this-format', 'This is not a NIfTI file', { where: 'sizeof_hdr', next: NOT_NIFTI });
}

/** True when the first bytes (at least 348, or fewer of a shorter file) are a NIfTI header. */
export function isNifti(start: Uint8Array): boolean {
  if (start.byteLength < HEADER_BYTES_1) return false;
  const magic1 = text(new DataView(start.buffer, start.byteOffset, start.byteLength), 344, 4);
  const magic2 = text(new DataView(start.buffer, start.byteOffset, start.byteLength), 4, 4);
  return magic1 === 'n+1' || magic1 === 'ni1' || magic2 === 'n+2' || magic2 === 'ni2';
}

function text(view: DataView, at: number, length: number): string {
  const field = Buffer.from(view.buffer, view.byteOffset + at, length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

function checkMagic(magic: string, version: 1 | 2): void {
  if (magic === `n+${version}`) return;
  if (magic === `ni${version}`)
    throw new FormatError('detached-data', 'This header keeps its image in another file (.hdr and .img)', {
      where: 'magic',
      next: 'Convert the pair into one .nii file; a file name in a header is never followed.',
    });
  throw new FormatError('not-this-format', 'This is not a NIfTI file (an older Analyze header, perhaps)', {
    where: 'magic',
    next: NOT_NIFTI,
  });
}

function checkedDims(rank: number, dim: (axis: number) => number): number[] {
  if (!(rank >= 1 && rank <= 7))
    throw new FormatError('corrupt', `A rank of ${rank} is impossible`, {
      where: 'dim[0]',
      next: 'The header is damaged: copy or export the file again.',
    });
  return Array.from({ length: rank }, (_, axis) => dim(axis + 1));
}

function parse1(view: DataView, little: boolean): NiftiHeader {
  checkMagic(text(view, 344, 4), 1);
  const i16 = (at: number) => view.getInt16(at, little);
  const f32 = (at: number) => view.getFloat32(at, little);
  return {
    version: 1,
    endian: little ? 'little' : 'big',
    dims: checkedDims(i16(40), (axis) => i16(40 + 2 * axis)),
    pixdim: Array.from({ length: 8 }, (_, i) => f32(76 + 4 * i)),
    datatype: i16(70),
    voxOffset: f32(108),
    slope: f32(112),
    intercept: f32(116),
    qformCode: i16(252),
    sformCode: i16(254),
    quaternion: [f32(256), f32(260), f32(264)],
    qoffset: [f32(268), f32(272), f32(276)],
    srows: Array.from({ length: 12 }, (_, i) => f32(280 + 4 * i)),
    xyztUnits: view.getUint8(123),
    description: text(view, 148, 80),
  };
}

function parse2(view: DataView, little: boolean): NiftiHeader {
  checkMagic(text(view, 4, 4), 2);
  const i64 = (at: number) => Number(view.getBigInt64(at, little));
  const i32 = (at: number) => view.getInt32(at, little);
  const f64 = (at: number) => view.getFloat64(at, little);
  return {
    version: 2,
    endian: little ? 'little' : 'big',
    dims: checkedDims(i64(16), (axis) => i64(16 + 8 * axis)),
    pixdim: Array.from({ length: 8 }, (_, i) => f64(104 + 8 * i)),
    datatype: view.getInt16(12, little),
    voxOffset: i64(168),
    slope: f64(176),
    intercept: f64(184),
    qformCode: i32(344),
    sformCode: i32(348),
    quaternion: [f64(352), f64(360), f64(368)],
    qoffset: [f64(376), f64(384), f64(392)],
    srows: Array.from({ length: 12 }, (_, i) => f64(400 + 8 * i)),
    xyztUnits: i32(500) & 0xff,
    description: text(view, 240, 80),
  };
}
