/** One compressed frame to little-endian sample bytes, colour interleaved: choice of codec, checks before and after it. */
import { inflateRawSync } from 'node:zlib';
import { DicomError } from '../dataset/errors.js';
import type { PixelEncoding } from '../dataset/transfer-syntax.js';
import { type CodestreamHeader, checkCodestream } from './codestream-header.js';
import { frameSamples, type PixelDescription, sampleBytes } from './description.js';
import { decodeRle, decodeRleBits } from './rle.js';
import { interleave, unpackBits } from './samples.js';
import { decodeWithWasm, type WasmCodec } from './wasm-codecs.js';

export interface DecodedFrame {
  readonly bytes: Uint8Array;
  /** Bits of each sample that count, and the highest of them; a codec leaves the rest unsaid. */
  readonly bits: number;
  readonly highBit: number;
}

type Compressed = Exclude<PixelEncoding, 'native' | 'none'>;

const CODECS: Readonly<Record<Exclude<Compressed, 'rle' | 'deflated-frame'>, WasmCodec>> = {
  jpeg: 'Jpeg',
  'jpeg-ls': 'JpegLs',
  'jpeg-2000': 'Jpeg2000',
  htj2k: 'HtJpeg2000',
  'jpeg-xl': 'JpegXl',
};
/** A frame that grows more than this is an attack unless it is small; an empty JPEG 2000 image may reach some thousands. */
const MAX_FRAME_RATIO = 20_000;
const RATIO_FLOOR = 64 * 2 ** 20;

function checkGrowth(encoded: Uint8Array, expected: number): void {
  if (expected > RATIO_FLOOR && expected > encoded.length * MAX_FRAME_RATIO)
    throw new DicomError('limit', `A frame of ${encoded.length} bytes would grow to ${expected}.`, {
      where: '(7FE0,0010) PixelData',
    });
}

/** Decodes one frame. Throws DicomError 'damaged-frame', 'inconsistent', 'limit' or 'unsupported-pixels'. */
export async function decodeCompressed(
  encoding: Compressed,
  encoded: Uint8Array,
  description: PixelDescription,
): Promise<DecodedFrame> {
  const size = sampleBytes(description);
  const expected = frameSamples(description) * size;
  checkGrowth(encoded, expected);
  const { bitsStored: bits, highBit } = description;
  if (encoding === 'rle') return { bytes: decodeRleFrame(encoded, description), bits, highBit };
  if (encoding === 'deflated-frame') return { bytes: inflateFrame(encoded, description), bits, highBit };
  return decodeCodestream(encoding, encoded, description, expected);
}

function decodeRleFrame(encoded: Uint8Array, description: PixelDescription): Uint8Array {
  const { rows, columns, samplesPerPixel, bitsAllocated } = description;
  const samples = frameSamples(description);
  if (bitsAllocated === 1) return unpackBits(decodeRleBits(encoded, Math.ceil(samples / 8)), 0, samples);
  return decodeRle(encoded, rows * columns, samplesPerPixel, bitsAllocated / 8);
}

function inflateFrame(encoded: Uint8Array, description: PixelDescription): Uint8Array {
  const samples = frameSamples(description);
  const stored = Math.ceil((samples * description.bitsAllocated) / 8);
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(encoded, { maxOutputLength: stored + 1 });
  } catch (error) {
    throw new DicomError('damaged-frame', 'A deflated frame is damaged or longer than its attributes say.', {
      where: '(7FE0,0010) PixelData',
      cause: error,
    });
  }
  if (bytes.length < stored) throw wrongSize(bytes.length, stored);
  if (description.bitsAllocated === 1) return unpackBits(bytes, 0, samples);
  const whole = bytes.subarray(0, stored);
  return description.planarConfiguration === 1
    ? interleave(whole, description.samplesPerPixel, sampleBytes(description))
    : whole;
}

function wrongSize(got: number, expected: number): DicomError {
  return new DicomError('damaged-frame', `A decoded frame has ${got} bytes instead of ${expected}.`, {
    where: '(7FE0,0010) PixelData',
  });
}

async function decodeCodestream(
  encoding: Exclude<Compressed, 'rle' | 'deflated-frame'>,
  encoded: Uint8Array,
  description: PixelDescription,
  expected: number,
): Promise<DecodedFrame> {
  const header = readHeader(encoding, encoded, description);
  const bitsAllocated = sampleBytes(description) * 8;
  const precision = header?.precision ?? description.bitsStored;
  const result = await decodeWithWasm(CODECS[encoding], encoded, {
    ...description,
    bitsAllocated,
    bitsStored: precision,
    pixelRepresentation: header ? (header.signed ? 1 : 0) : description.pixelRepresentation,
    planarConfiguration: 0,
  });
  if (result.bytes.length !== expected) throw wrongSize(result.bytes.length, expected);
  const bytes =
    result.planarConfiguration === 1 || header?.planar
      ? interleave(result.bytes, description.samplesPerPixel, sampleBytes(description))
      : result.bytes;
  // Unsigned JPEG 2000 samples of a signed image: their sign bit is the codestream's highest (as pydicom 3 reads them too).
  const reinterpreted = header?.jpeg2000 && header.signed !== (description.pixelRepresentation === 1);
  const bits = reinterpreted ? Math.min(precision, description.bitsStored) : description.bitsStored;
  return { bytes, bits, highBit: bits - 1 };
}

function readHeader(
  encoding: Exclude<Compressed, 'rle' | 'deflated-frame'>,
  encoded: Uint8Array,
  description: PixelDescription,
): CodestreamHeader | undefined {
  if (encoding === 'jpeg-xl') return undefined;
  return checkCodestream(encoded, encoding === 'htj2k' ? 'jpeg-2000' : encoding, description);
}
