/**
 * One channel of the message becomes a file that the engine reads: a NRRD header with the place in the patient, then the
 * voxels, inflated in a stream. Never more is inflated than the three sizes declare, whatever the gzip would give.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Reservation } from '../../blobs/disk-space.js';
import type { Extent } from '../../registry/segint/message-walker.js';
import { SegintJobError } from './errors.js';
import type { ChannelOutline, Point, Transform } from './input-message.js';

export type Size = readonly [width: number, height: number, depth: number];

/** A CT of 4096 slices of 512 × 512 pixels; as int16 it is 2 GiB, the most that one message can hold unpacked. */
const MOST_VOXELS = 2 ** 30;
const LONGEST_AXIS = 65_536;
const BYTES_PER_VOXEL = 2;
/** 258 bytes from 2 bits: the most that deflate can do. */
const DEFLATE_MAX_RATIO = 1032;
const CHUNK = 1024 * 1024;
const ALIGNMENT = 8;

/** Throws SegintJobError `bad-volume`. */
export function sizeOf({ CalibratedVolume }: ChannelOutline, where: string): Size {
  const { Width = 0, Height = 0, Depth = 0 } = CalibratedVolume?.Volume ?? {};
  const voxels = Width * Height * Depth;
  if (Math.max(Width, Height, Depth) > LONGEST_AXIS || voxels > MOST_VOXELS)
    throw new SegintJobError('bad-volume', `A volume of ${Width} × ${Height} × ${Depth} voxels is too large`, {
      where,
      next: `At most ${LONGEST_AXIS} along an axis and ${MOST_VOXELS} together are taken.`,
    });
  return [Width, Height, Depth];
}

export interface VolumeSource {
  /** File that holds the whole message. */
  readonly path: string;
  readonly channel: ChannelOutline;
  readonly size: Size;
  /** For messages. */
  readonly where: string;
}

/** Where it lies, and room for its voxels: of a model that looks at the grid alone, zeros that take no room on the disk. */
export async function placeVolume(
  { channel, size }: Omit<VolumeSource, 'path'>,
  target: string,
  keepVoxels: boolean,
): Promise<void> {
  const header = nrrdHeader(size, channel.CalibratedVolume?.DataTransform);
  await writeFile(target, header);
  if (!keepVoxels) await truncate(target, header.length + voxelBytes(size));
}

export function voxelBytes([width, height, depth]: Size): number {
  return width * height * depth * BYTES_PER_VOXEL;
}

export interface VolumeTarget {
  /** What `placeVolume` wrote. */
  readonly path: string;
  /** Room on its disk, claimed as the voxels come. */
  readonly space: Reservation;
}

/**
 * The voxels behind what `placeVolume` wrote; without a target they are only checked. Throws SegintJobError `decompression`,
 * `size-mismatch`, BlobError `no-space`, and the abort reason.
 */
export async function inflateVolume(
  { path, channel, where, size }: VolumeSource,
  target: VolumeTarget | undefined,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: (done: number, total: number) => void },
): Promise<void> {
  const expected = voxelBytes(size);
  const data: Extent = channel.CalibratedVolume?.Volume?.Data ?? { at: 0, length: 0 };
  if (expected > data.length * DEFLATE_MAX_RATIO) throw mismatch(expected, 'cannot be so many', where);
  if (data.length === 0) return;
  let inflated = 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      inflated += chunk.length;
      if (inflated > expected) throw mismatch(expected, 'are more', where);
      progress(inflated, expected);
      if (target !== undefined) yield chunk;
    }
  };
  const file = createReadStream(path, { start: data.at, end: data.at + data.length - 1, highWaterMark: CHUNK });
  const gunzip = createGunzip({ chunkSize: CHUNK });
  try {
    if (target === undefined)
      await pipeline(file, gunzip, async (chunks: AsyncIterable<Buffer>) => drain(counted(chunks)), { signal });
    else {
      const metered = (chunks: AsyncIterable<Buffer>) => target.space.meter(counted(chunks));
      await pipeline(file, gunzip, metered, createWriteStream(target.path, { flags: 'a' }), { signal });
    }
  } catch (error) {
    // Of several streams that end together, the pipeline may report another one's end.
    if (inflated > expected) throw mismatch(expected, 'are more', where);
    if (!/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new SegintJobError(
      'decompression',
      'The gzip data of a volume is damaged, cut off, or followed by something',
      {
        where,
        next: 'Compress the voxels anew and send them whole.',
      },
    );
  }
  if (inflated < expected) throw mismatch(expected, `are ${inflated}`, where);
}

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks);
}

function mismatch(expected: number, but: string, where: string): SegintJobError {
  return new SegintJobError(
    'size-mismatch',
    `Width × Height × Depth × ${BYTES_PER_VOXEL} are ${expected} bytes, the bytes in the gzip data ${but}`,
    { where, next: 'Send signed 16-bit voxels and their real sizes.' },
  );
}

const AXES = [
  ['XAxisDirection', 'X', [1, 0, 0]],
  ['YAxisDirection', 'Y', [0, 1, 0]],
  ['ZAxisDirection', 'Z', [0, 0, 1]],
] as const;
/** mm³: below this, axes lie in one plane. */
const SMALLEST_VOXEL = 1e-9;

/** Steps in mm along x, y and z, and the origin. The old server looked at none of it: what makes no grid counts as 1 mm, upright. */
export function gridOf(transform: Transform | undefined): {
  readonly steps: readonly (readonly number[])[];
  readonly origin: readonly number[];
} {
  const point = ({ X = 0, Y = 0, Z = 0 }: Point = {}) => [X, Y, Z];
  const steps = AXES.map(([name, axis]) => {
    const scale = transform?.VoxelScalingInMM?.[axis] ?? 0;
    return point(transform?.[name]).map((part) => part * scale);
  });
  const origin = point(transform?.Origin);
  const [[a, b, c], [d, e, f], [g, h, i]] = steps as [number[], number[], number[]] as [
    [number, number, number],
    [number, number, number],
    [number, number, number],
  ];
  const voxel = Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g));
  if (voxel > SMALLEST_VOXEL && Number.isFinite(voxel) && origin.every(Number.isFinite)) return { steps, origin };
  return { steps: AXES.map(([, , upright]) => upright), origin: [0, 0, 0] };
}

function nrrdHeader(size: Size, transform: Transform | undefined): string {
  const { steps, origin } = gridOf(transform);
  const lines = [
    'NRRD0004',
    'type: int16',
    'dimension: 3',
    'space: left-posterior-superior',
    `sizes: ${size.join(' ')}`,
    `space directions: ${steps.map((step) => `(${step.join(',')})`).join(' ')}`,
    'kinds: domain domain domain',
    'endian: little',
    'encoding: raw',
    `space origin: (${origin.join(',')})`,
  ];
  const header = `${lines.join('\n')}\n`;
  // Voxels at a multiple of their size are read where they lie, without a copy: a comment of the right length sees to it.
  const padding = ALIGNMENT - ((header.length + '#\n\n'.length) % ALIGNMENT);
  return `${header}#${' '.repeat(padding)}\n\n`;
}
