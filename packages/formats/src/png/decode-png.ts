/** PNG to samples: every depth, colour type and filter, palettes, transparency, Adam7; size known before anything is unpacked. */
import { inflateSync } from 'node:zlib';
import { FormatError } from '../format-error.js';
import { COLOUR, corruptPng, type PngHeader, type PngParts, readChunks, SAMPLES } from './png-chunks.js';
import { unfilter } from './png-filters.js';

export interface PngImage {
  readonly kind: 'png';
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
  readonly channels: 1 | 2 | 3 | 4;
  /** `data[(y * width + x) * channels + c]`; Uint16Array for 16-bit files. Grey of 1, 2, 4 bits is scaled to 0..255. */
  readonly data: Uint8Array | Uint16Array;
}

/** The passes of Adam7 (8.2): first column, first row, step in x, step in y. A plain image is one pass over all pixels. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const PLAIN = [[0, 0, 1, 1]] as const;

interface Pass {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly columns: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** Throws FormatError. */
export function decodePng(bytes: Uint8Array): PngImage {
  const parts = readChunks(bytes);
  const { header } = parts;
  const passes = passesOf(header);
  const expected = passes.reduce((sum, pass) => sum + pass.rows * (pass.rowBytes + 1), 0);
  const raw = unpack(parts.data, expected);
  const samples = SAMPLES[header.colourType];
  const pixels = header.width * header.height * samples;
  const data = header.bits === 16 ? new Uint16Array(pixels) : new Uint8Array(pixels);
  const pixelBytes = Math.max(1, (samples * header.bits) >> 3);
  let at = 0;
  for (const pass of passes) {
    unfilter(raw, at, pass.rows, pass.rowBytes, pixelBytes);
    scatter(raw, at, pass, header, data);
    at += pass.rows * (pass.rowBytes + 1);
  }
  return finish(data, parts);
}

function passesOf(header: PngHeader): Pass[] {
  const bits = SAMPLES[header.colourType] * header.bits;
  return (header.interlaced ? ADAM7 : PLAIN)
    .map(([x, y, stepX, stepY]) => {
      const columns = Math.max(0, Math.ceil((header.width - x) / stepX));
      const rows = Math.max(0, Math.ceil((header.height - y) / stepY));
      return { x, y, stepX, stepY, columns, rows, rowBytes: Math.ceil((columns * bits) / 8) };
    })
    .filter((pass) => pass.columns > 0 && pass.rows > 0);
}

function unpack(data: readonly Buffer[], expected: number): Uint8Array {
  // Deflate grows at most 1032 times, so a size that the bytes cannot hold is refused before it allocates.
  const packed = Buffer.concat(data);
  if (expected > packed.length * 1032 + 1032) throw short();
  let raw: Buffer;
  try {
    raw = inflateSync(packed, { maxOutputLength: expected });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw corruptPng('it holds more pixels than its header says', 'IDAT');
    if (code === 'Z_BUF_ERROR') throw short();
    throw corruptPng('its compressed data is broken', 'IDAT');
  }
  if (raw.length < expected) throw short();
  return raw;
}

function short(): FormatError {
  return new FormatError('truncated', 'The PNG holds fewer pixels than its header says', {
    where: 'IDAT',
    next: 'Copy or export the file again.',
  });
}

/** Samples of one pass to their places; grey below 8 bits is scaled, palette indices are not. */
function scatter(raw: Uint8Array, at: number, pass: Pass, header: PngHeader, data: Uint8Array | Uint16Array): void {
  const { bits, width, colourType } = header;
  const samples = SAMPLES[colourType];
  const scale = bits < 8 && colourType === COLOUR.grey ? 255 / (2 ** bits - 1) : 1;
  for (let row = 0; row < pass.rows; row++) {
    const start = at + row * (pass.rowBytes + 1) + 1;
    const line = (pass.y + row * pass.stepY) * width;
    for (let column = 0; column < pass.columns; column++) {
      const to = (line + pass.x + column * pass.stepX) * samples;
      for (let s = 0; s < samples; s++) {
        const index = column * samples + s;
        if (bits === 8) data[to + s] = raw[start + index];
        else if (bits === 16) data[to + s] = (raw[start + 2 * index] << 8) | raw[start + 2 * index + 1];
        else {
          const bit = index * bits;
          data[to + s] = ((raw[start + (bit >> 3)] >> (8 - bits - (bit & 7))) & (2 ** bits - 1)) * scale;
        }
      }
    }
  }
}

/** Looks colours up and adds the alpha channel that a tRNS chunk means (11.3.1). */
function finish(data: Uint8Array | Uint16Array, { header, palette, transparency }: PngParts): PngImage {
  const { width, height, colourType } = header;
  const image = (channels: 1 | 2 | 3 | 4, samples: Uint8Array | Uint16Array): PngImage =>
    Object.freeze({ kind: 'png', width, height, channels, data: samples });
  if (colourType === COLOUR.palette) return image(...lookUp(data, palette, transparency));
  const channels = SAMPLES[colourType] as 1 | 2 | 3 | 4;
  if (!transparency || (colourType !== COLOUR.grey && colourType !== COLOUR.rgb)) return image(channels, data);
  if (transparency.length < channels * 2) throw corruptPng('its transparency is too short', 'tRNS');
  return image((channels + 1) as 2 | 4, withAlpha(data, channels, transparency, header));
}

function lookUp(indices: Uint8Array | Uint16Array, palette?: Buffer, alpha?: Buffer): [3 | 4, Uint8Array] {
  if (!palette || palette.length === 0 || palette.length % 3 !== 0) throw corruptPng('its palette is missing', 'PLTE');
  const colours = palette.length / 3;
  const channels = alpha ? 4 : 3;
  const out = new Uint8Array(indices.length * channels);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (index >= colours) throw corruptPng('a pixel points behind its palette', 'IDAT');
    for (let c = 0; c < 3; c++) out[i * channels + c] = palette[index * 3 + c];
    if (alpha) out[i * channels + 3] = alpha[index] ?? 255;
  }
  return [channels, out];
}

function withAlpha(data: Uint8Array | Uint16Array, channels: number, key: Buffer, header: PngHeader) {
  const opaque = header.bits === 16 ? 65_535 : 255;
  const scale = header.bits < 8 ? 255 / (2 ** header.bits - 1) : 1;
  const wanted = Array.from({ length: channels }, (_, c) => key.readUInt16BE(2 * c) * scale);
  const pixels = data.length / channels;
  const out = header.bits === 16 ? new Uint16Array(pixels * (channels + 1)) : new Uint8Array(pixels * (channels + 1));
  for (let i = 0; i < pixels; i++) {
    let same = true;
    for (let c = 0; c < channels; c++) {
      out[i * (channels + 1) + c] = data[i * channels + c];
      same &&= data[i * channels + c] === wanted[c];
    }
    out[i * (channels + 1) + channels] = same ? 0 : opaque;
  }
  return out;
}
