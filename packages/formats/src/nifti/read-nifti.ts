/** A single-file NIfTI-1 or NIfTI-2, plain or gzipped, as Volumes: data x-fastest as in the file, affine turned from RAS to LPS. */
import { type Affine, lpsToRas, makeVolume, type Size3, type Volume, type VoxelArray } from '@isocenter/volume';
import { FormatError } from '../format-error.js';
import type { IntakeLimits } from '../intake/limits.js';
import { gunzipBytes, isGzip } from '../intake/open-sources.js';
import { decodeSamples, deinterleave, rescale, SAMPLE_BYTES } from '../voxels/sample-type.js';
import { checkedCount, MAX_CHANNELS } from '../voxels/size-limits.js';
import { type AffineOrigin, niftiAffine } from './nifti-affine.js';
import { DATA_OFFSET_1, DATA_OFFSET_2, DATATYPES, type NiftiHeader, parseNiftiHeader } from './nifti-header.js';

export interface NiftiImage {
  readonly kind: 'nifti';
  readonly size: Size3;
  /** LPS mm. */
  readonly affine: Affine;
  /** One Volume per time point, component or colour; one for a plain 3-D image. */
  readonly channels: readonly Volume[];
  readonly header: NiftiHeader;
  readonly affineFrom: AffineOrigin;
  /** True when scl_slope and scl_inter were applied, which makes the data floating point. */
  readonly scaled: boolean;
  /** Tolerated oddities, for a report. */
  readonly notes: readonly string[];
}

export interface ReadNiftiOptions {
  /** `one`: an image of several channels is refused as `several-channels`. Default `many`. */
  readonly channels?: 'one' | 'many';
  readonly limits?: IntakeLimits;
}

/** Spatial axes are the first three (monai.md C.1); the rest are channels, the first of them running fastest. */
export async function readNifti(input: Uint8Array, options: ReadNiftiOptions = {}): Promise<NiftiImage> {
  const bytes = isGzip(input) ? await gunzipBytes(input, options.limits) : input;
  const header = parseNiftiHeader(bytes);
  const datatype = DATATYPES.get(header.datatype);
  if (!datatype)
    throw new FormatError('unsupported-datatype', `NIfTI datatype ${header.datatype} is not supported`, {
      where: 'datatype',
      next: 'Save the image with an integer or floating-point type (no complex, long double or bits).',
    });
  const size: Size3 = [header.dims[0], header.dims[1] ?? 1, header.dims[2] ?? 1];
  const extra = header.dims.slice(3);
  const total = checkedCount([...size, ...extra, datatype.samples], 'dim');
  const voxels = size[0] * size[1] * size[2];
  const volumes = total / voxels / datatype.samples;
  checkChannels(volumes * datatype.samples, options);
  const data = decodeSamples(dataBytes(bytes, header), datatype.type, header.endian, total, 'NIfTI data');
  const { ras, from, notes } = niftiAffine(header);
  const affine = lpsToRas(ras);
  const scaled = needsScaling(header) && datatype.samples === 1;
  const channels: Volume[] = [];
  for (let v = 0; v < volumes; v++) {
    const part = data.subarray(v * voxels * datatype.samples, (v + 1) * voxels * datatype.samples) as VoxelArray;
    for (let s = 0; s < datatype.samples; s++) {
      const single = datatype.samples > 1 ? deinterleave(part, datatype.samples, s) : part;
      channels.push(makeVolume(scaled ? rescale(single, header.slope, header.intercept) : single, size, affine));
    }
  }
  return Object.freeze({ kind: 'nifti', size, affine, channels, header, affineFrom: from, scaled, notes });
}

function checkChannels(count: number, options: ReadNiftiOptions): void {
  if (count > 1 && options.channels === 'one')
    throw new FormatError('several-channels', `The image has ${count} channels; one is expected`, {
      where: 'dim[4]',
      next: 'Give a 3-D image, or take one channel out of this one.',
    });
  if (count > MAX_CHANNELS)
    throw new FormatError('too-large', `The image has ${count} channels`, {
      where: 'dim[4]',
      next: `At most ${MAX_CHANNELS} are allowed.`,
    });
}

/** nifti1.h: a slope of zero means "not scaled"; so do, for nibabel, numbers that are not finite. */
function needsScaling({ slope, intercept }: NiftiHeader): boolean {
  if (slope === 0 || !Number.isFinite(slope) || !Number.isFinite(intercept)) return false;
  return slope !== 1 || intercept !== 0;
}

function dataBytes(bytes: Uint8Array, header: NiftiHeader): Uint8Array {
  const least = header.version === 1 ? DATA_OFFSET_1 : DATA_OFFSET_2;
  // Some writers leave zero, which means "right after the header".
  const offset = header.voxOffset === 0 ? least : header.voxOffset;
  if (!Number.isInteger(offset) || offset < least || offset > bytes.byteLength)
    throw new FormatError(
      offset > bytes.byteLength ? 'truncated' : 'corrupt',
      `The image cannot start at byte ${offset}`,
      {
        where: 'vox_offset',
        next: 'The file is cut short or its header damaged: copy or export it again.',
      },
    );
  return bytes.subarray(offset);
}

/** Bytes of one voxel's sample, for callers that estimate memory from a header alone. */
export function niftiSampleBytes(header: NiftiHeader): number | undefined {
  const datatype = DATATYPES.get(header.datatype);
  return datatype && SAMPLE_BYTES[datatype.type] * datatype.samples;
}
