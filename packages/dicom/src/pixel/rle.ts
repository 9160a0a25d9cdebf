/** RLE Lossless (PS3.5 annex G): PackBits per byte plane, for any number of samples and bytes, and for 1-bit pixels. */
import { DicomError } from '../dataset/errors.js';

const HEADER = 64;
const MAX_SEGMENTS = 15;
const NO_OPERATION = 128;

function damaged(reason: string): DicomError {
  return new DicomError('damaged-frame', `The RLE frame is damaged: ${reason}.`, { where: '(7FE0,0010) PixelData' });
}

/** Offsets of the segments; each inside the frame and in order. */
function readSegments(frame: Uint8Array, expected: number): number[] {
  if (frame.length < HEADER) throw damaged('it is shorter than its header');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const count = view.getUint32(0, true);
  if (count !== expected) throw damaged(`it has ${count} segments, the attributes ask for ${expected}`);
  const offsets: number[] = [];
  for (let i = 0; i < count; i++) {
    const offset = view.getUint32(4 + 4 * i, true);
    if (offset < (offsets.at(-1) ?? HEADER) || offset > frame.length)
      throw damaged(`segment ${i} lies outside the frame`);
    offsets.push(offset);
  }
  return offsets;
}

/** PackBits of `frame[from, to)` into every `stride`-th byte of `out` from `start`; `count` bytes must come out. */
function unpack(
  frame: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  start: number,
  stride: number,
  count: number,
): void {
  let at = from;
  let put = start;
  let left = count;
  while (left > 0) {
    if (at >= to) throw damaged('a segment ends before its plane is full');
    const control = frame[at++] as number;
    if (control === NO_OPERATION) continue;
    if (control < NO_OPERATION) {
      const run = Math.min(control + 1, left);
      if (at + run > to) throw damaged('a literal run passes the end of its segment');
      for (let i = 0; i < run; i++, put += stride) out[put] = frame[at + i] as number;
      at += control + 1;
      left -= run;
    } else {
      if (at >= to) throw damaged('a replicate run passes the end of its segment');
      const value = frame[at++] as number;
      const run = Math.min(257 - control, left);
      for (let i = 0; i < run; i++, put += stride) out[put] = value;
      left -= run;
    }
  }
}

/**
 * One frame to little-endian samples, colour interleaved. `pixels` = rows x columns; a segment holds one byte of one
 * sample, most significant first. Throws DicomError 'damaged-frame'.
 */
export function decodeRle(frame: Uint8Array, pixels: number, samples: number, bytesPerSample: number): Uint8Array {
  const planes = samples * bytesPerSample;
  if (planes > MAX_SEGMENTS) throw damaged('more than 15 planes are asked for');
  const offsets = readSegments(frame, planes);
  const out = new Uint8Array(pixels * planes);
  offsets.forEach((offset, plane) => {
    const sample = Math.floor(plane / bytesPerSample);
    const byte = bytesPerSample - 1 - (plane % bytesPerSample);
    unpack(frame, offset, offsets[plane + 1] ?? frame.length, out, sample * bytesPerSample + byte, planes, pixels);
  });
  return out;
}

/** One 1-bit frame: a single segment of packed bits (PS3.5 G.2 with 1-bit pixels, CP-2291); the packed bytes come back. */
export function decodeRleBits(frame: Uint8Array, packedBytes: number): Uint8Array {
  const [offset] = readSegments(frame, 1) as [number];
  const out = new Uint8Array(packedBytes);
  unpack(frame, offset, frame.length, out, 0, 1, packedBytes);
  return out;
}

/** PackBits of one row of one plane, appended to `out` at `at`; returns the new end. Rows are coded separately (G.3.1). */
function packRow(plane: Uint8Array, from: number, to: number, out: Uint8Array, start: number): number {
  const MAX_RUN = 128;
  let at = start;
  let i = from;
  while (i < to) {
    let run = 1;
    while (i + run < to && run < MAX_RUN && plane[i + run] === plane[i]) run++;
    if (run > 1) {
      out[at++] = 257 - run;
      out[at++] = plane[i] as number;
      i += run;
      continue;
    }
    const literal = i;
    while (i < to && i - literal < MAX_RUN && !(i + 2 < to && plane[i] === plane[i + 1] && plane[i] === plane[i + 2]))
      i++;
    out[at++] = i - literal - 1;
    out.set(plane.subarray(literal, i), at);
    at += i - literal;
  }
  return at;
}

/** The inverse of decodeRle, for `rows` x `columns` samples in little endian, colour interleaved. */
export function encodeRle(
  samplesLE: Uint8Array,
  rows: number,
  columns: number,
  samples: number,
  bytesPerSample: number,
): Uint8Array {
  const planes = samples * bytesPerSample;
  const pixels = rows * columns;
  const worst = HEADER + planes * (pixels + rows * (Math.ceil(columns / 128) + 1) + 1);
  const out = new Uint8Array(worst);
  const view = new DataView(out.buffer);
  view.setUint32(0, planes, true);
  const plane = new Uint8Array(pixels);
  let at = HEADER;
  for (let n = 0; n < planes; n++) {
    const first = Math.floor(n / bytesPerSample) * bytesPerSample + (bytesPerSample - 1 - (n % bytesPerSample));
    for (let i = 0, from = first; i < pixels; i++, from += planes) plane[i] = samplesLE[from] as number;
    view.setUint32(4 + 4 * n, at, true);
    for (let row = 0; row < rows; row++) at = packRow(plane, row * columns, (row + 1) * columns, out, at);
    if (at & 1) out[at++] = 0;
  }
  return out.slice(0, at);
}
