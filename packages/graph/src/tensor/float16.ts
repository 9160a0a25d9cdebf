/** IEEE 754 half precision as bits, both ways; rounds to the nearest even, as ONNX Runtime's Cast does. */

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** Bits of the half nearest to `value`; beyond 65504 infinity. */
export function halfFromNumber(value: number): number {
  word[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const exponent = (bits[0] >>> 23) & 0xff;
  const mantissa = bits[0] & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  const shifted = exponent - 112;
  if (shifted >= 31) return sign | 0x7c00;
  if (shifted < -10) return sign;
  // Below the smallest normal half the hidden one becomes visible and moves right.
  const full = shifted > 0 ? (shifted << 23) | mantissa : (0x800000 | mantissa) >>> 0;
  const drop = shifted > 0 ? 13 : 14 - shifted;
  const kept = full >>> drop;
  const rest = full & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

export function numberFromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
