/** Stored values to pixel data in the transfer syntaxes that we write, all without loss; and the attributes that go with it. */
import { deflateRawSync } from 'node:zlib';
import type { Dataset } from '../dataset/dataset.js';
import { Element, fragmentsElement } from '../dataset/element.js';
import { DicomError } from '../dataset/errors.js';
import { tagOf } from '../dataset/tag.js';
import { layoutOf, type PixelEncoding } from '../dataset/transfer-syntax.js';
import type { DecodedFrames } from './decode.js';
import { encodeRle } from './rle.js';
import { packBits, type SampleArray } from './samples.js';
import { supportedTransferSyntaxes } from './supported.js';
import { encodeWithWasm, type WasmCodec } from './wasm-codecs.js';

/** Stored values, as decodeFrames gives them: frames x rows x columns x samples, samples fastest. */
export type PixelFrames = Omit<DecodedFrames, 'frames'> & { readonly frames?: number };

export interface EncodedPixels {
  /** PixelData, FloatPixelData or DoubleFloatPixelData, native bytes in little endian or fragments. */
  readonly element: Element;
  /** JPEG 2000 of RGB is stored as YBR_RCT. */
  readonly photometric: string;
}

const CODECS: Partial<Record<PixelEncoding, WasmCodec>> = {
  jpeg: 'Jpeg',
  'jpeg-ls': 'JpegLs',
  'jpeg-2000': 'Jpeg2000',
  htj2k: 'HtJpeg2000',
};
const MAX_TABLE_OFFSET = 0xffffffff;

function checkFrames(pixels: PixelFrames, transferSyntaxUID: string): number {
  const support = supportedTransferSyntaxes.get(transferSyntaxUID);
  if (!support?.encode)
    throw new DicomError(
      'unsupported-transfer-syntax',
      `Pixel data cannot be written in ${support?.name ?? 'an unknown syntax'}.`,
      {
        where: transferSyntaxUID,
      },
    );
  const frames = pixels.frames ?? 1;
  const expected = pixels.rows * pixels.columns * pixels.samplesPerPixel * frames;
  if (pixels.data.length !== expected)
    throw new DicomError(
      'inconsistent',
      `There are ${pixels.data.length} samples, the attributes ask for ${expected}.`,
    );
  const size = Math.max(1, pixels.bitsAllocated / 8);
  if (pixels.data.BYTES_PER_ELEMENT !== size)
    throw new DicomError('inconsistent', `BitsAllocated ${pixels.bitsAllocated} needs samples of ${size} bytes.`);
  return frames;
}

function bytesOf(data: SampleArray, first: number, count: number): Uint8Array {
  const size = data.BYTES_PER_ELEMENT;
  return new Uint8Array(data.buffer, data.byteOffset + first * size, count * size);
}

function nativeElement(pixels: PixelFrames): Element {
  const { data, bitsAllocated } = pixels;
  if (data instanceof Float32Array) return plain('FloatPixelData', 'OF', bytesOf(data, 0, data.length));
  if (data instanceof Float64Array) return plain('DoubleFloatPixelData', 'OD', bytesOf(data, 0, data.length));
  if (bitsAllocated === 1) {
    const packed = new Uint8Array(Math.ceil(data.length / 8));
    packBits(data, packed, 0);
    return plain('PixelData', 'OB', packed);
  }
  return plain('PixelData', bitsAllocated > 8 ? 'OW' : 'OB', bytesOf(data, 0, data.length));
}

function plain(
  keyword: 'PixelData' | 'FloatPixelData' | 'DoubleFloatPixelData',
  vr: 'OB' | 'OW' | 'OF' | 'OD',
  bytes: Uint8Array,
) {
  return new Element(tagOf(keyword), vr, bytes, 0, bytes.length);
}

/** JPEG knows no sign: its samples are the BitsStored low bits. The sign comes back when it is read. */
function withoutSignBits(bytes: Uint8Array, pixels: PixelFrames): Uint8Array {
  const { bitsAllocated, bitsStored, pixelRepresentation } = pixels;
  if (pixelRepresentation === 0 || bitsStored === bitsAllocated) return bytes;
  // Not slice(): that of a Buffer copies nothing.
  const copy = new Uint8Array(bytes);
  const words = bitsAllocated === 16 ? new Uint16Array(copy.buffer) : copy;
  const mask = 2 ** bitsStored - 1;
  for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & mask;
  return copy;
}

async function encodeFrame(encoding: PixelEncoding, pixels: PixelFrames, first: number): Promise<[Uint8Array, string]> {
  const { rows, columns, samplesPerPixel, bitsAllocated, photometric } = pixels;
  const count = rows * columns * samplesPerPixel;
  if (bitsAllocated === 1 && encoding === 'deflated-frame') {
    const packed = new Uint8Array(Math.ceil(count / 8));
    packBits(pixels.data.subarray(first, first + count), packed, 0);
    return [deflateRawSync(packed), photometric];
  }
  if (bitsAllocated === 1 || pixels.data instanceof Float32Array || pixels.data instanceof Float64Array)
    throw new DicomError('unsupported-pixels', 'Bits and real numbers are not written in this transfer syntax.', {
      where: 'BitsAllocated',
    });
  const bytes = bytesOf(pixels.data, first, count);
  if (encoding === 'deflated-frame') return [deflateRawSync(bytes), photometric];
  if (encoding === 'rle') return [encodeRle(bytes, rows, columns, samplesPerPixel, bitsAllocated / 8), photometric];
  const codec = CODECS[encoding] as WasmCodec;
  if (bitsAllocated > 16)
    throw new DicomError('unsupported-pixels', 'More than 16 bits are not written in this transfer syntax.', {
      where: 'BitsAllocated',
    });
  if (encoding === 'jpeg-2000' && bitsAllocated === 8 && pixels.pixelRepresentation === 1)
    throw new DicomError('unsupported-pixels', 'The JPEG 2000 encoder clips signed 8-bit samples.', {
      where: 'PixelRepresentation',
    });
  const signless = encoding === 'jpeg' || encoding === 'jpeg-ls';
  // The JPEG-LS encoder codes whole words, so that their sign bits may stay.
  const input = encoding === 'jpeg' ? withoutSignBits(bytes, pixels) : bytes;
  const result = await encodeWithWasm(codec, input, {
    ...pixels,
    pixelRepresentation: signless ? 0 : pixels.pixelRepresentation,
    planarConfiguration: 0,
  });
  return [result.bytes, result.photometric];
}

/**
 * Pixel data in `transferSyntaxUID`, one fragment per frame with a basic offset table where it is encapsulated.
 * Throws DicomError 'unsupported-transfer-syntax', 'unsupported-pixels' or 'inconsistent'.
 */
export async function encodeFrames(pixels: PixelFrames, transferSyntaxUID: string): Promise<EncodedPixels> {
  const frames = checkFrames(pixels, transferSyntaxUID);
  const { encoding } = layoutOf(transferSyntaxUID);
  if (encoding === 'native') return { element: nativeElement(pixels), photometric: pixels.photometric };
  const samples = pixels.rows * pixels.columns * pixels.samplesPerPixel;
  const fragments: Uint8Array[] = [];
  let photometric = pixels.photometric;
  for (let frame = 0; frame < frames; frame++) {
    const [bytes, stored] = await encodeFrame(encoding, pixels, frame * samples);
    photometric = stored;
    fragments.push(bytes);
  }
  return { element: fragmentsElement(tagOf('PixelData'), 'OB', [offsetTable(fragments), ...fragments]), photometric };
}

/** Offsets of the fragments' item tags from the first one (PS3.5 A.4); empty when one does not fit 32 bits. */
function offsetTable(fragments: readonly Uint8Array[]): Uint8Array {
  const ITEM_HEADER = 8;
  const table = new Uint8Array(4 * fragments.length);
  const view = new DataView(table.buffer);
  let offset = 0;
  for (const [i, fragment] of fragments.entries()) {
    if (offset > MAX_TABLE_OFFSET) return new Uint8Array(0);
    view.setUint32(4 * i, offset, true);
    offset += ITEM_HEADER + fragment.length + (fragment.length & 1);
  }
  return table;
}

/**
 * Encodes `pixels` and sets the image pixel attributes and the pixel data in `dataset` (little endian). NumberOfFrames is
 * only set when `pixels.frames` is given. Throws as encodeFrames does.
 */
export async function setPixelData(dataset: Dataset, pixels: PixelFrames, transferSyntaxUID: string): Promise<void> {
  const { element, photometric } = await encodeFrames(pixels, transferSyntaxUID);
  dataset
    .set('SamplesPerPixel', pixels.samplesPerPixel)
    .set('PhotometricInterpretation', photometric)
    .set('Rows', pixels.rows)
    .set('Columns', pixels.columns)
    .set('BitsAllocated', pixels.bitsAllocated);
  if (pixels.samplesPerPixel > 1) dataset.set('PlanarConfiguration', 0);
  if (pixels.frames !== undefined) dataset.set('NumberOfFrames', String(pixels.frames));
  if (element.tag === tagOf('PixelData'))
    dataset
      .set('BitsStored', pixels.bitsStored)
      .set('HighBit', pixels.bitsStored - 1)
      .set('PixelRepresentation', pixels.pixelRepresentation);
  dataset.put(element);
}
