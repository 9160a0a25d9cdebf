/**
 * Bit-packed frames (PS3.5 8.1.1): pixel n of a run of frames is bit n & 7 of byte n >> 3, with no gap between frames. Words
 * of four pixels or 32 bits at a time where the addresses allow it; one bit at a time at ragged frame borders.
 */

export type Labels = Uint8Array<ArrayBufferLike> | Uint16Array<ArrayBufferLike>;

const ONES = 0x01010101;
const LOW_SEVEN = 0x7f7f7f7f;
const FULL = 0xff;

/** The bytes from the one that holds bit `bit` on, and the bit's place in them: many frames have more than 2^31 bits. */
export function bitsFrom(bits: Uint8Array, bit: number): readonly [bits: Uint8Array, bit: number] {
  const byte = Math.floor(bit / 8);
  return [bits.subarray(byte), bit - byte * 8];
}

/** Sets bit `bit` + n of `out` for each n < count with labels[from + n] === label; other bits stay. */
export function packEqual(
  labels: Labels,
  from: number,
  count: number,
  label: number,
  out: Uint8Array,
  bit: number,
): void {
  let n = 0;
  if (labels instanceof Uint8Array && (bit & 7) === 0 && ((labels.byteOffset + from) & 3) === 0) {
    const words = new Int32Array(labels.buffer, labels.byteOffset + from, count >> 2);
    const pattern = Math.imul(label, ONES);
    let to = bit >> 3;
    const pairs = count >> 3;
    for (let pair = 0; pair < pairs; pair++, to++) {
      const a = words[2 * pair];
      const b = words[2 * pair + 1];
      if (a === 0 && b === 0) continue;
      const value = equalBytes(a ^ pattern) | (equalBytes(b ^ pattern) << 4);
      if (value !== 0) out[to] |= value;
    }
    n = pairs << 3;
  }
  for (; n < count; n++) if (labels[from + n] === label) out[(bit + n) >> 3] |= 1 << ((bit + n) & 7);
}

/** One bit for each zero byte of a word, lowest byte first. Exact: the sum of seven-bit fields cannot carry. */
function equalBytes(difference: number): number {
  const t = ~(((difference & LOW_SEVEN) + LOW_SEVEN) | difference | LOW_SEVEN);
  return ((t >>> 7) & 1) | ((t >>> 14) & 2) | ((t >>> 21) & 4) | ((t >>> 28) & 8);
}

/** By four bits, lowest first: a word with a full byte for each set bit. */
const SPREAD = Int32Array.from({ length: 16 }, (_, nibble) =>
  [0, 1, 2, 3].reduce((word, bit) => word | ((nibble >> bit) & 1 ? FULL << (8 * bit) : 0), 0),
);

/** The pixels as words, where whole bytes of bits fall on whole words of byte labels, as in nearly all frames. */
function labelWords(bit: number, count: number, target: Labels, at: number): Int32Array | undefined {
  const whole = ((bit | count) & 7) === 0 && target instanceof Uint8Array && ((target.byteOffset + at) & 3) === 0;
  return whole ? new Int32Array(target.buffer, target.byteOffset + at, count >> 2) : undefined;
}

/** Eight pixels per byte from byte `first` on: paints `pattern` (a label four times), or without one says whether a set bit meets a label. */
function overWords(bits: Uint8Array, first: number, words: Int32Array, pattern: number | undefined): boolean {
  const skew = bits.byteOffset & 3;
  const quads = new Int32Array(bits.buffer, bits.byteOffset - skew, (skew + bits.length) >> 2);
  const end = first + (words.length >> 1);
  for (let n = first, w = 0; n < end; ) {
    const place = n + skew;
    if ((place & 3) === 0 && n + 4 <= end && quads[place >> 2] === 0) {
      n += 4;
      w += 8;
      continue;
    }
    const byte = bits[n++];
    if (byte !== 0) {
      const low = SPREAD[byte & 15];
      const high = SPREAD[byte >> 4];
      if (pattern !== undefined) {
        words[w] = (words[w] & ~low) | (pattern & low);
        words[w + 1] = (words[w + 1] & ~high) | (pattern & high);
      } else if (((words[w] & low) | (words[w + 1] & high)) !== 0) return true;
    }
    w += 2;
  }
  return false;
}

/** Calls nothing for runs of zeros; `visit` gets a byte of bits and the place of its first one. */
function visitSetBytes(
  bits: Uint8Array,
  bit: number,
  count: number,
  visit: (byte: number, at: number) => boolean,
): void {
  const end = bit + count;
  let at = bit;
  if ((at & 7) !== 0) {
    const stop = Math.min(end, (at | 7) + 1);
    const byte = (bits[at >> 3] >> (at & 7)) & (FULL >> (8 - (stop - at)));
    if (byte !== 0 && visit(byte, 0)) return;
    at = stop;
  }
  const skew = bits.byteOffset & 3;
  const words = new Int32Array(bits.buffer, bits.byteOffset - skew, (skew + bits.length) >> 2);
  const lastByte = end >> 3;
  let n = at >> 3;
  while (n < lastByte) {
    const place = n + skew;
    if ((place & 3) === 0 && n + 4 <= lastByte && words[place >> 2] === 0) {
      n += 4;
      continue;
    }
    if (bits[n] !== 0 && visit(bits[n], (n << 3) - bit)) return;
    n++;
  }
  at = Math.max(at, lastByte << 3);
  if (at < end) {
    const byte = bits[at >> 3] & (FULL >> (8 - (end - at)));
    if (byte !== 0) visit(byte, at - bit);
  }
}

/** Writes `label` to target[at + n] for each set bit n of `count` from `bit` on. */
export function paintBits(
  bits: Uint8Array,
  bit: number,
  count: number,
  target: Labels,
  at: number,
  label: number,
): void {
  const words = labelWords(bit, count, target, at);
  if (words) {
    overWords(bits, bit >> 3, words, Math.imul(label, ONES));
    return;
  }
  visitSetBytes(bits, bit, count, (byte, place) => {
    let p = at + place;
    if (byte === FULL) target.fill(label, p, p + 8);
    else for (let rest = byte; rest !== 0; rest >>= 1, p++) if ((rest & 1) !== 0) target[p] = label;
    return false;
  });
}

/** Whether any set bit n of `count` from `bit` on meets a target[at + n] that is not 0. */
export function bitsMeet(bits: Uint8Array, bit: number, count: number, target: Labels, at: number): boolean {
  const words = labelWords(bit, count, target, at);
  if (words) return overWords(bits, bit >> 3, words, undefined);
  let met = false;
  visitSetBytes(bits, bit, count, (byte, place) => {
    let p = at + place;
    for (let rest = byte; rest !== 0 && !met; rest >>= 1, p++) met = (rest & 1) !== 0 && target[p] !== 0;
    return met;
  });
  return met;
}
