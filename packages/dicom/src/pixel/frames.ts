/** Where each frame's bytes are: native pixel data by arithmetic, encapsulated by offset tables or codestream markers (PS3.5 A.4). */
import type { Dataset } from '../dataset/dataset.js';
import type { Element } from '../dataset/element.js';
import { DicomError } from '../dataset/errors.js';
import { frameSamples, type PixelDescription } from './description.js';

const ITEM_HEADER = 8;

/** Bytes that one frame takes in native pixel data; fractional for 1-bit frames that do not end on a byte. */
export function nativeFrameBytes(description: PixelDescription): number {
  const subsampled = description.photometric === 'YBR_FULL_422' || description.photometric === 'YBR_PARTIAL_422';
  const samples = subsampled ? description.rows * description.columns * 2 : frameSamples(description);
  return (samples * description.bitsAllocated) / 8;
}

/** Throws DicomError 'truncated' when the native pixel data is shorter than its attributes say. */
export function checkNativeLength(bytes: Uint8Array, description: PixelDescription): void {
  const expected = Math.ceil(nativeFrameBytes(description) * description.frames);
  if (bytes.length < expected)
    throw new DicomError('truncated', `The pixel data has ${bytes.length} bytes; its attributes ask for ${expected}.`, {
      where: '(7FE0,0010) PixelData',
      next: 'Rows, Columns, frames or bits are wrong, or the file is incomplete.',
    });
}

/** First and last (exclusive) fragment of each frame; fragment 0 is the offset table and not counted. */
type FragmentRange = readonly [number, number];

function damaged(reason: string): DicomError {
  return new DicomError('damaged-frame', `The encapsulated pixel data cannot be divided into frames: ${reason}.`, {
    where: '(7FE0,0010) PixelData',
  });
}

/** Offsets of frames from the extended (7FE0,0001) or basic table; undefined when there is none. */
function offsetTable(dataset: Dataset, basic: Uint8Array): readonly number[] | undefined {
  const extended = dataset.bytes('ExtendedOffsetTable');
  if (extended && extended.length >= 8) {
    const view = new DataView(extended.buffer, extended.byteOffset, extended.length);
    return Array.from({ length: Math.floor(extended.length / 8) }, (_, i) => Number(view.getBigUint64(i * 8, true)));
  }
  if (basic.length < 4) return undefined;
  const view = new DataView(basic.buffer, basic.byteOffset, basic.length);
  return Array.from({ length: Math.floor(basic.length / 4) }, (_, i) => view.getUint32(i * 4, true));
}

/** Ranges by an offset table; undefined when an offset is not the start of a fragment (then the table is not used). */
function rangesByTable(fragments: readonly Uint8Array[], table: readonly number[]): FragmentRange[] | undefined {
  const startAt = new Map<number, number>();
  let offset = 0;
  fragments.forEach((fragment, i) => {
    startAt.set(offset, i);
    offset += ITEM_HEADER + fragment.length;
  });
  const starts: number[] = [];
  for (const entry of table) {
    const start = startAt.get(entry);
    if (start === undefined || (starts.length > 0 && start <= (starts.at(-1) as number))) return undefined;
    starts.push(start);
  }
  return starts.map((start, i) => [start, starts[i + 1] ?? fragments.length]);
}

/** JPEG, JPEG-LS: SOI; JPEG 2000 and HTJ2K: SOC. Preceded by a fragment that ends its codestream (EOI or EOC, padding behind). */
function rangesByMarkers(fragments: readonly Uint8Array[]): FragmentRange[] {
  const starts: number[] = [];
  fragments.forEach((fragment, i) => {
    const begins = fragment[0] === 0xff && (fragment[1] === 0xd8 || fragment[1] === 0x4f);
    if (i === 0 || (begins && endsCodestream(fragments[i - 1] as Uint8Array))) starts.push(i);
  });
  return starts.map((start, i) => [start, starts[i + 1] ?? fragments.length]);
}

const MAX_PADDING = 16;

/** The end marker of every JPEG kind is FFD9; encoders put up to a few padding bytes behind it. */
export function endsCodestream(bytes: Uint8Array): boolean {
  const stop = Math.max(0, bytes.length - 2 - MAX_PADDING);
  for (let i = bytes.length - 2; i >= stop; i--) if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return true;
  return false;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Encoded bytes of each frame, by index; a frame in one fragment is a view. Throws DicomError 'damaged-frame' when the
 * fragments cannot be divided into NumberOfFrames frames.
 */
export function encapsulatedFrames(dataset: Dataset, element: Element, frames: number): (frame: number) => Uint8Array {
  const [basic, ...fragments] = element.fragments ?? [];
  if (!basic || fragments.length === 0) throw damaged('there are no fragments');
  const ranges = divide(dataset, basic, fragments, frames);
  return (frame) => {
    const [start, stop] = ranges(frame);
    return concatenate(fragments.slice(start, stop));
  };
}

function divide(
  dataset: Dataset,
  basic: Uint8Array,
  fragments: readonly Uint8Array[],
  frames: number,
): (frame: number) => FragmentRange {
  if (frames === 1) return () => [0, fragments.length];
  if (fragments.length < frames) throw damaged(`there are ${fragments.length} fragments for ${frames} frames`);
  if (fragments.length === frames) return (frame) => [frame, frame + 1];
  const table = offsetTable(dataset, basic);
  let ranges = table?.length === frames ? rangesByTable(fragments, table) : undefined;
  ranges ??= rangesByMarkers(fragments);
  if (ranges.length !== frames)
    throw damaged(`${ranges.length} codestreams begin in it, but NumberOfFrames is ${frames}`);
  const found = ranges;
  return (frame) => found[frame] as FragmentRange;
}
