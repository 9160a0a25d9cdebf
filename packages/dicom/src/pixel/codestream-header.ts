/** What a compressed frame says of itself: the frame header of JPEG and JPEG-LS (ISO 10918-1 B.2.2), SIZ of JPEG 2000 (15444-1 A.5.1). */
import { DicomError } from '../dataset/errors.js';
import type { PixelDescription } from './description.js';
import { endsCodestream } from './frames.js';

export interface CodestreamHeader {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  /** Bits per sample. */
  readonly precision: number;
  readonly jpeg2000: boolean;
  /** JPEG-LS with one scan per component (interleave mode none): the codec gives colour by plane then. */
  readonly planar: boolean;
  /** Only JPEG 2000 knows signed samples. */
  readonly signed: boolean;
}

const MARKER = 0xff;
const SOI = 0xd8;
const SOS = 0xda;
const SOF_JPEG_LS = 0xf7;
/** C4, C8 and CC lie among the frame headers and are tables and reserved codes. */
const NOT_FRAMES = [0xc4, 0xc8, 0xcc];

function damaged(reason: string): DicomError {
  return new DicomError('damaged-frame', `The compressed frame is damaged: ${reason}.`, {
    where: '(7FE0,0010) PixelData',
    next: 'The file is incomplete or was changed; get it again from its source.',
  });
}

function readJpegHeader(frame: Uint8Array): CodestreamHeader {
  if (frame[0] !== MARKER || frame[1] !== SOI) throw damaged('it does not begin with SOI');
  let at = 2;
  while (at + 4 <= frame.length) {
    if (frame[at] !== MARKER) throw damaged(`there is no marker at byte ${at}`);
    const code = frame[at + 1] as number;
    if (code === MARKER) {
      at++;
      continue;
    }
    const length = ((frame[at + 2] as number) << 8) | (frame[at + 3] as number);
    const isFrame = code === SOF_JPEG_LS || (code >= 0xc0 && code <= 0xcf && !NOT_FRAMES.includes(code));
    if (isFrame && at + 10 <= frame.length)
      return {
        precision: frame[at + 4] as number,
        rows: ((frame[at + 5] as number) << 8) | (frame[at + 6] as number),
        columns: ((frame[at + 7] as number) << 8) | (frame[at + 8] as number),
        components: frame[at + 9] as number,
        jpeg2000: false,
        planar: code === SOF_JPEG_LS && (frame[at + 9] as number) > 1 && scanComponents(frame, at + 2 + length) === 1,
        signed: false,
      };
    if (isFrame || code === SOS || length < 2) break;
    at += 2 + length;
  }
  throw damaged('it has no frame header');
}

/** Components of the first scan at or behind `from`; 0 when there is none. */
function scanComponents(frame: Uint8Array, from: number): number {
  let at = from;
  while (at + 5 <= frame.length && frame[at] === MARKER) {
    if (frame[at + 1] === SOS) return frame[at + 4] as number;
    const length = ((frame[at + 2] as number) << 8) | (frame[at + 3] as number);
    if (length < 2) return 0;
    at += 2 + length;
  }
  return 0;
}

const SOC_SIZ = [0xff, 0x4f, 0xff, 0x51];
const SIZ_BYTES = 45;
const JP2_SIGNATURE = 0x6a502020;

/** undefined for a JP2 file, whose codestream lies somewhere inside; the codec checks it then. */
function readJpeg2000Header(frame: Uint8Array): CodestreamHeader | undefined {
  if (frame.length < SIZ_BYTES) throw damaged('it is shorter than its header');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (view.getUint32(4) === JP2_SIGNATURE) return undefined;
  if (!SOC_SIZ.every((byte, i) => frame[i] === byte)) throw damaged('it does not begin with SOC and SIZ');
  const depth = frame[42] as number;
  return {
    columns: view.getUint32(8) - view.getUint32(16),
    rows: view.getUint32(12) - view.getUint32(20),
    components: view.getUint16(40),
    precision: (depth & 0x7f) + 1,
    jpeg2000: true,
    planar: false,
    signed: (depth & 0x80) !== 0,
  };
}

const SOT = 0xff90;
const SOD = 0xff93;
const MIN_TILE_PART = 14;

/**
 * Follows the tile-parts by their lengths (15444-1 A.4.2): each must lie inside the frame. Decoders fill up what is missing
 * without a word. A length of 0 means "to the end", which cannot be checked.
 */
function checkTileParts(frame: Uint8Array): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  let at = 2;
  while (at + 4 <= frame.length) {
    const marker = view.getUint16(at);
    if (marker !== SOT) {
      const length = view.getUint16(at + 2);
      if (marker < 0xff00 || marker === SOD || length < 2) return;
      at += 2 + length;
      continue;
    }
    if (at + MIN_TILE_PART > frame.length) break;
    const length = view.getUint32(at + 6);
    if (length === 0) return;
    if (length < MIN_TILE_PART || length > frame.length - at) break;
    at += length;
    // EOC, or padding where an encoder left it out.
    if (at + 2 > frame.length || view.getUint16(at) !== SOT) return;
  }
  throw damaged('its last tile-part is not complete');
}

/**
 * Reads the header and holds it against the data set, before a codec allocates anything. A JPEG without its end marker is
 * refused too: the lossless decoder would return a full buffer of rubbish. Throws DicomError 'damaged-frame' or 'inconsistent'.
 */
export function checkCodestream(
  frame: Uint8Array,
  family: 'jpeg' | 'jpeg-ls' | 'jpeg-2000',
  description: PixelDescription,
): CodestreamHeader | undefined {
  const header = family === 'jpeg-2000' ? readJpeg2000Header(frame) : readJpegHeader(frame);
  if (family !== 'jpeg-2000' && !endsCodestream(frame)) throw damaged('its end marker is missing');
  if (!header) return undefined;
  if (header.jpeg2000) checkTileParts(frame);
  const { rows, columns, samplesPerPixel } = description;
  if (header.rows !== rows || header.columns !== columns || header.components !== samplesPerPixel)
    throw new DicomError(
      'inconsistent',
      `The compressed frame is ${header.columns} x ${header.rows} x ${header.components}, the attributes say ${columns} x ${rows} x ${samplesPerPixel}.`,
      { where: 'Rows, Columns, SamplesPerPixel' },
    );
  if (header.precision > 8 * Math.max(1, Math.ceil(description.bitsAllocated / 8)))
    throw new DicomError(
      'inconsistent',
      `The compressed frame has ${header.precision} bits, BitsAllocated is ${description.bitsAllocated}.`,
      {
        where: 'BitsAllocated',
      },
    );
  return header;
}
