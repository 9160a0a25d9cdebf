/** The frame of a PNG file (PNG specification, 5): signature, chunks with CRC, and the header that says what the samples are. */
import { crc32 } from 'node:zlib';
import { FormatError } from '../format-error.js';
import { MAX_VOXELS } from '../voxels/size-limits.js';

export const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** 1, 2, 4, 8 or 16 bits per sample. */
  readonly bits: number;
  readonly colourType: number;
  readonly interlaced: boolean;
}

export const COLOUR = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgba: 6 } as const;
/** Samples per pixel by colour type, and the depths that each allows (table 11.1). */
export const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const IHDR_BYTES = 13;
/** Length, type and CRC. */
const FRAME_BYTES = 12;

export function isPng(start: Uint8Array): boolean {
  return PNG_SIGNATURE.equals(start.subarray(0, PNG_SIGNATURE.length));
}

export function corruptPng(message: string, where: string): FormatError {
  return new FormatError('corrupt', `The PNG is damaged: ${message}`, {
    where,
    next: 'Copy or export the file again.',
  });
}

/** A chunk with length and CRC around `data`. */
export function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(FRAME_BYTES + data.byteLength);
  out.writeUInt32BE(data.byteLength, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.byteLength)), 8 + data.byteLength);
  return out;
}

export interface PngParts {
  readonly header: PngHeader;
  readonly data: readonly Buffer[];
  readonly palette: Buffer | undefined;
  readonly transparency: Buffer | undefined;
}

/** Walks all chunks, checks each CRC. Throws FormatError `not-this-format`, `truncated`, `corrupt`, `too-large`. */
export function readChunks(bytes: Uint8Array): PngParts {
  if (!isPng(bytes))
    throw new FormatError('not-this-format', 'This is not a PNG file', {
      where: 'first bytes',
      next: 'Give a .png file.',
    });
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Buffer[] = [];
  const singles = new Map<string, Buffer>();
  for (let at = PNG_SIGNATURE.length; ; ) {
    if (at + FRAME_BYTES > file.length) throw cut(at);
    const length = file.readUInt32BE(at);
    if (length > file.length - at - FRAME_BYTES) throw cut(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (crc32(file.subarray(at + 4, at + 8 + length)) !== file.readUInt32BE(at + 8 + length))
      throw corruptPng('a chunk does not match its checksum', `byte ${at}`);
    if ((type === 'IHDR') !== (at === PNG_SIGNATURE.length)) throw corruptPng('the header is not first', `byte ${at}`);
    if (type === 'IDAT') data.push(body);
    else singles.set(type, body);
    at += length + FRAME_BYTES;
    if (type === 'IEND') break;
    // Critical chunks that we do not know change the meaning of the image (5.4: upper-case first letter).
    if (!KNOWN_CRITICAL.has(type) && /^[A-Z]/.test(type)) throw corruptPng('an unknown critical chunk', `byte ${at}`);
  }
  const header = parseHeader(singles.get('IHDR') ?? Buffer.alloc(0));
  return { header, data, palette: singles.get('PLTE'), transparency: singles.get('tRNS') };
}

const KNOWN_CRITICAL = new Set(['IHDR', 'IDAT', 'PLTE', 'IEND']);

function cut(at: number): FormatError {
  return new FormatError('truncated', 'The PNG is cut short', {
    where: `byte ${at}`,
    next: 'Copy or export the file again.',
  });
}

function parseHeader(body: Buffer): PngHeader {
  if (body.length !== IHDR_BYTES) throw corruptPng('the header has the wrong length', 'IHDR');
  const [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
  const [bits, colourType, compression, filter, interlace] = body.subarray(8);
  if (!DEPTHS[colourType]?.includes(bits)) throw corruptPng('this depth and colour type do not exist', 'IHDR');
  if (compression !== 0 || filter !== 0 || interlace > 1) throw corruptPng('unknown compression or interlace', 'IHDR');
  if (width === 0 || height === 0) throw corruptPng('it has no pixels', 'IHDR');
  if (width * height * 4 > MAX_VOXELS)
    throw new FormatError('too-large', `${width} × ${height} pixels are too many`, {
      where: 'IHDR',
      next: `At most ${MAX_VOXELS} samples are allowed.`,
    });
  return { width, height, bits, colourType, interlaced: interlace === 1 };
}
