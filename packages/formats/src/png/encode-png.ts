/** Samples to PNG, 8 or 16 bits by the type of the array; no time stamp, so the same image is the same bytes. */
import { deflateSync } from 'node:zlib';
import { FormatError } from '../format-error.js';
import type { PngImage } from './decode-png.js';
import { COLOUR, chunk, PNG_SIGNATURE } from './png-chunks.js';
import { filterRows } from './png-filters.js';

/** Colour type by number of channels. */
const COLOUR_TYPES = [undefined, COLOUR.grey, COLOUR.greyAlpha, COLOUR.rgb, COLOUR.rgba] as const;

/** `data[(y * width + x) * channels + c]`, top row first. Throws FormatError `invalid-value`. */
export function encodePng(image: Omit<PngImage, 'kind'>, level = 6): Buffer {
  const { width, height, channels, data } = image;
  const colourType = COLOUR_TYPES[channels];
  if (colourType === undefined || !(width > 0 && height > 0) || data.length !== width * height * channels)
    throw new FormatError('invalid-value', `${data.length} samples are not ${width} × ${height} × ${channels}`, {
      where: 'PNG size',
      next: 'This is a fault of the caller: report it.',
    });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = data.BYTES_PER_ELEMENT * 8;
  header[9] = colourType;
  const step = channels * data.BYTES_PER_ELEMENT;
  const rows = filterRows(bigEndian(data), height, width * step, step);
  return Buffer.concat([
    PNG_SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level })),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

function bigEndian(data: Uint8Array | Uint16Array): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const out = new Uint8Array(data.length * 2);
  for (let i = 0; i < data.length; i++) {
    out[2 * i] = data[i] >> 8;
    out[2 * i + 1] = data[i];
  }
  return out;
}
