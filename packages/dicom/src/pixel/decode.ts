/**
 * Pixel data of a parsed file to stored values, frame by frame, colour interleaved, in every transfer syntax of
 * `supportedTransferSyntaxes`. No colour conversion: YBR stays YBR (only JPEG 2000's own transform is undone, by its codec).
 */

import { swapped } from '../dataset/dataset.js';
import type { Element } from '../dataset/element.js';
import { DicomError } from '../dataset/errors.js';
import type { DicomFile } from '../dataset/parse.js';
import { layoutOf } from '../dataset/transfer-syntax.js';
import { decodeCompressed } from './decode-compressed.js';
import { describePixels, frameSamples, type PixelDescription, sampleBytes } from './description.js';
import { checkNativeLength, encapsulatedFrames, nativeFrameBytes } from './frames.js';
import { expand422, interleave, type SampleArray, sampleArray, storeSamples, unpackBits } from './samples.js';

export { frameCount } from './description.js';
export { supportedTransferSyntaxes } from './supported.js';

export interface DecodedFrames {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly pixelRepresentation: 0 | 1;
  /** Of `data`: 4:2:2 is expanded to YBR_FULL, JPEG 2000's YBR_RCT and YBR_ICT are RGB. */
  readonly photometric: string;
  /** Stored values (before rescale): frames x rows x columns x samples, samples fastest. */
  readonly data: SampleArray;
}

/** Frames of one file, opened once: attributes checked, fragments divided. */
export interface FrameReader {
  readonly description: PixelDescription;
  /** Photometric interpretation of what decodeInto gives. */
  readonly photometric: string;
  /** Puts frame `frame` (from 0) into `target` from `offset`; the values must fit its type. */
  decodeInto(frame: number, target: SampleArray, offset: number): Promise<void>;
}

const readers = new WeakMap<DicomFile, FrameReader>();

/** Photometric interpretation after decoding. */
function decodedPhotometric(photometric: string): string {
  if (photometric === 'YBR_FULL_422') return 'YBR_FULL';
  return photometric === 'YBR_RCT' || photometric === 'YBR_ICT' ? 'RGB' : photometric;
}

/**
 * Throws DicomError 'missing-attribute', 'inconsistent', 'unsupported-pixels', 'limit', 'truncated', 'damaged-frame' or
 * 'unsupported-transfer-syntax'.
 */
export function openFrames(file: DicomFile): FrameReader {
  const known = readers.get(file);
  if (known) return known;
  const { pixelData, dataset } = file;
  if (!pixelData?.element)
    throw new DicomError('missing-attribute', 'The file has no pixel data, or was read without it.', {
      where: '(7FE0,0010) PixelData',
    });
  const description = describePixels(dataset, pixelData.tag);
  const reader = pixelData.element.fragments
    ? compressedReader(file, description, pixelData.element)
    : nativeReader(file, description, pixelData.element);
  readers.set(file, reader);
  return reader;
}

function checkTarget(description: PixelDescription, frame: number, target: SampleArray, offset: number): void {
  if (!Number.isInteger(frame) || frame < 0 || frame >= description.frames)
    throw new DicomError('inconsistent', `There is no frame ${frame}; the object has ${description.frames}.`);
  if (offset + frameSamples(description) > target.length)
    throw new DicomError('inconsistent', 'The array given for the frame is too short.');
}

function nativeReader(file: DicomFile, description: PixelDescription, element: Element): FrameReader {
  const layout = layoutOf(file.transferSyntaxUID);
  // Known codecs with uncompressed bytes happen (the length is checked below); unknown syntaxes are not guessed at.
  if (layout.encoding === 'none') throw unsupported(file.transferSyntaxUID);
  const bytes = element.bytes as Uint8Array;
  const is422 = description.photometric === 'YBR_FULL_422';
  // Some writers say 4:2:2 and store every chroma sample; the length tells.
  const subsampled = is422 && bytes.length < frameSamples(description) * description.frames;
  const stored = is422 && !subsampled ? { ...description, photometric: 'YBR_FULL' } : description;
  checkNativeLength(bytes, stored);
  const size = nativeFrameBytes(stored);
  const unit = file.dataset.littleEndian ? 1 : swapUnit(description, element.vr);
  const read = (frame: number): Uint8Array => {
    if (description.bitsAllocated === 1) return unpackNativeBits(bytes, frame, description, unit === 2);
    let raw = bytes.subarray(frame * size, (frame + 1) * size);
    if (unit !== 1) raw = swappedFrame(bytes, frame * size, size, unit);
    if (subsampled) raw = expand422(raw, description);
    return description.planarConfiguration === 1
      ? interleave(raw, description.samplesPerPixel, sampleBytes(description))
      : raw;
  };
  return {
    description,
    photometric: decodedPhotometric(description.photometric),
    decodeInto: async (frame, target, offset) => {
      checkTarget(description, frame, target, offset);
      storeSamples(description, read(frame), description.bitsStored, description.highBit, target, offset);
    },
  };
}

/** Bytes that change places in big endian: the sample, or the 16-bit word of OW where samples are smaller. */
function swapUnit(description: PixelDescription, vr: string): 1 | 2 | 4 | 8 {
  if (description.bitsAllocated > 8) return (description.bitsAllocated / 8) as 2 | 4 | 8;
  return vr === 'OW' ? 2 : 1;
}

/** A frame may begin in the middle of a 16-bit word of 8-bit samples: swaps the words that hold it. */
function swappedFrame(bytes: Uint8Array, start: number, size: number, unit: 2 | 4 | 8): Uint8Array {
  const first = start - (start % unit);
  const last = Math.min(bytes.length, Math.ceil((start + size) / unit) * unit);
  return swapped(bytes.subarray(first, last), unit).subarray(start - first, start - first + size);
}

function unpackNativeBits(bytes: Uint8Array, frame: number, description: PixelDescription, words: boolean): Uint8Array {
  const count = frameSamples(description);
  const firstBit = frame * count;
  const firstByte = (firstBit >> 4) * 2;
  const lastByte = Math.min(bytes.length, Math.ceil((firstBit + count) / 16) * 2);
  const part = bytes.subarray(firstByte, lastByte);
  return unpackBits(words ? swapped(part, 2) : part, firstBit - firstByte * 8, count);
}

function compressedReader(file: DicomFile, description: PixelDescription, element: Element): FrameReader {
  const { encoding } = layoutOf(file.transferSyntaxUID);
  if (encoding === 'native' || encoding === 'none') throw unsupported(file.transferSyntaxUID);
  const encoded = encapsulatedFrames(file.dataset, element, description.frames);
  return {
    description,
    photometric: decodedPhotometric(description.photometric),
    decodeInto: async (frame, target, offset) => {
      checkTarget(description, frame, target, offset);
      const { bytes, bits, highBit } = await decodeCompressed(encoding, encoded(frame), description);
      storeSamples(description, bytes, bits, highBit, target, offset);
    },
  };
}

function unsupported(uid: string): DicomError {
  const { name } = layoutOf(uid);
  return new DicomError('unsupported-transfer-syntax', `Pixel data in ${name} cannot be decoded.`, {
    where: uid,
    next: 'Ask the sender for an uncompressed or JPEG 2000 lossless copy.',
  });
}

/**
 * All frames of a file. Throws as openFrames does.
 */
export async function decodeFrames(file: DicomFile): Promise<DecodedFrames> {
  const reader = openFrames(file);
  const { description } = reader;
  const samples = frameSamples(description);
  const data = sampleArray(description, samples * description.frames);
  for (let frame = 0; frame < description.frames; frame++) await reader.decodeInto(frame, data, frame * samples);
  const { rows, columns, frames, samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation } = description;
  const { photometric } = reader;
  return { rows, columns, frames, samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation, photometric, data };
}

/**
 * One frame (from 0) into `target` from `offset`: stored values, which must fit the target's type. Uncompressed full-width
 * samples are copied once, from the file into the target. Throws as openFrames does.
 */
export function decodeFrameInto(file: DicomFile, frame: number, target: SampleArray, offset: number): Promise<void> {
  return openFrames(file).decodeInto(frame, target, offset);
}
