/** Values into element bytes: strict rules of PS3.5 6.2 for what we write ourselves. */
import { isAscii, UTF8_CHARSET } from './charset.js';
import { DicomError } from './errors.js';
import { nameTag, type Tag } from './tag.js';
import { type VR, vrRule } from './vr.js';

export interface EncodedValue {
  readonly bytes: Uint8Array;
  readonly charset?: readonly string[];
}

const PATTERNS: Partial<Record<VR, RegExp>> = {
  AE: /^[\x20-\x5b\x5d-\x7e]*$/,
  AS: /^\d{3}[DWMY]$/,
  CS: /^[A-Z0-9 _]*$/,
  DA: /^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/,
  DS: /^ *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *$/,
  DT: /^\d{4}((0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?$/,
  IS: /^ *[+-]?\d{1,11} *$/,
  TM: /^([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?$/,
  UI: /^(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/,
  UR: /^\S*$/,
};
const MAX_DS = 16;
const INT32 = 2 ** 31;

function refuse(tag: Tag, vr: VR, reason: string): never {
  throw new DicomError('invalid-value', `A value for ${nameTag(tag)} (VR ${vr}) ${reason}.`, {
    where: nameTag(tag),
    next: 'This is what PS3.5 6.2 asks of the attribute; give a value that keeps it.',
  });
}

/**
 * A number as DS text of at most 16 characters, as close to it as 16 characters allow (PS3.5 6.2).
 * Throws DicomError 'invalid-value' for NaN and infinities.
 */
export function formatDecimal(value: number): string {
  if (!Number.isFinite(value)) throw new DicomError('invalid-value', 'A decimal string must be finite.');
  const shortest = String(value === 0 ? 0 : value);
  if (shortest.length <= MAX_DS) return shortest;
  for (let digits = MAX_DS; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= MAX_DS) return checkedDecimal(text);
    const scientific = value.toExponential(digits - 1).replace('e+', 'e');
    if (scientific.length <= MAX_DS) return checkedDecimal(scientific);
  }
  return checkedDecimal('Infinity');
}

/** Rounding to fewer digits can leave the range of numbers at its very end. */
function checkedDecimal(text: string): string {
  if (!Number.isFinite(Number(text)))
    throw new DicomError('invalid-value', 'A number is too large for a decimal string.');
  return text;
}

/** Control characters; TAB, LF, FF and CR are allowed where the VR is free text (ESC never: we write no escapes). */
function hasControls(value: string, freeText: boolean): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    const layout = code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d;
    if ((code < 0x20 || code === 0x7f) && !(freeText && layout)) return true;
  }
  return false;
}

function checkText(tag: Tag, vr: VR, value: string): void {
  const rule = vrRule(vr);
  if (rule.multiple && value.includes('\\'))
    refuse(tag, vr, 'contains a backslash, which separates values; give an array');
  if (rule.kind === 'ascii' && value !== '' && !isAscii(value)) refuse(tag, vr, 'has characters outside ASCII');
  if (hasControls(value, !rule.multiple && vr !== 'UR')) refuse(tag, vr, 'has control characters');
  const pattern = PATTERNS[vr];
  if (value !== '' && pattern && !pattern.test(value))
    refuse(tag, vr, 'has characters or a form that the VR does not allow');
  if (vr === 'PN') {
    const groups = value.split('=');
    if (groups.length > 3) refuse(tag, vr, 'has more than three component groups');
    for (const group of groups) {
      if (group.length > 64) refuse(tag, vr, 'has a component group of more than 64 characters');
      if (group.split('^').length > 5) refuse(tag, vr, 'has more than five components');
    }
  } else if (rule.maxLength !== undefined && [...value].length > rule.maxLength)
    refuse(tag, vr, `is longer than ${rule.maxLength} characters`);
  if (vr === 'IS' && Math.abs(Number(value)) > INT32) refuse(tag, vr, 'is outside 32 bits');
}

function encodeStrings(tag: Tag, vr: VR, values: readonly string[]): EncodedValue {
  for (const value of values) checkText(tag, vr, value);
  if (!vrRule(vr).multiple && values.length > 1) refuse(tag, vr, 'must be one value');
  const joined = values.join('\\');
  const bytes = new Uint8Array(Buffer.from(joined, 'utf8'));
  return isAscii(joined) ? { bytes } : { bytes, charset: UTF8_CHARSET };
}

const BINARY: Partial<Record<VR, { size: number; min: number; max: number; set: keyof DataView }>> = {
  US: { size: 2, min: 0, max: 0xffff, set: 'setUint16' },
  SS: { size: 2, min: -0x8000, max: 0x7fff, set: 'setInt16' },
  UL: { size: 4, min: 0, max: 0xffffffff, set: 'setUint32' },
  SL: { size: 4, min: -INT32, max: INT32 - 1, set: 'setInt32' },
  FL: { size: 4, min: -3.5e38, max: 3.5e38, set: 'setFloat32' },
  OF: { size: 4, min: -3.5e38, max: 3.5e38, set: 'setFloat32' },
  FD: { size: 8, min: -Infinity, max: Infinity, set: 'setFloat64' },
  OD: { size: 8, min: -Infinity, max: Infinity, set: 'setFloat64' },
  OW: { size: 2, min: 0, max: 0xffff, set: 'setUint16' },
  OL: { size: 4, min: 0, max: 0xffffffff, set: 'setUint32' },
  AT: { size: 4, min: 0, max: 0xffffffff, set: 'setUint32' },
  SV: { size: 8, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, set: 'setBigInt64' },
  UV: { size: 8, min: 0, max: Number.MAX_SAFE_INTEGER, set: 'setBigUint64' },
  OV: { size: 8, min: 0, max: Number.MAX_SAFE_INTEGER, set: 'setBigUint64' },
};
const REALS: readonly VR[] = ['FL', 'FD', 'OF', 'OD'];

function encodeBinary(tag: Tag, vr: VR, values: readonly number[], littleEndian: boolean): EncodedValue {
  const layout = BINARY[vr] as NonNullable<(typeof BINARY)[VR]>;
  const bytes = new Uint8Array(values.length * layout.size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (value < layout.min || value > layout.max || (!REALS.includes(vr) && !Number.isInteger(value)))
      refuse(tag, vr, 'is not a number that fits');
    const at = i * layout.size;
    if (vr === 'AT') {
      view.setUint16(at, value >>> 16, littleEndian);
      view.setUint16(at + 2, value & 0xffff, littleEndian);
    } else if (layout.set === 'setBigInt64' || layout.set === 'setBigUint64')
      view[layout.set](at, BigInt(value), littleEndian);
    else (view[layout.set] as (at: number, value: number, little: boolean) => void).call(view, at, value, littleEndian);
  });
  return { bytes };
}

function encodeNumbers(tag: Tag, vr: VR, values: readonly number[], littleEndian: boolean): EncodedValue {
  if (vr === 'DS') return { bytes: new Uint8Array(Buffer.from(values.map(formatDecimal).join('\\'), 'latin1')) };
  if (vr === 'IS' || vrRule(vr).kind === 'text' || vrRule(vr).kind === 'ascii')
    return encodeStrings(tag, vr, values.map(String));
  if (BINARY[vr]) return encodeBinary(tag, vr, values, littleEndian);
  if (vr === 'OB' || vr === 'UN') return { bytes: Uint8Array.from(values) };
  return refuse(tag, vr, 'cannot be made of numbers');
}

/**
 * Bytes of a value, not yet padded. Byte arrays are taken as they are, already in the byte order asked for.
 * Throws DicomError 'invalid-value'.
 */
export function encodeValue(
  tag: Tag,
  vr: VR,
  value: string | number | readonly string[] | readonly number[] | Uint8Array,
  littleEndian: boolean,
): EncodedValue {
  if (value instanceof Uint8Array) return { bytes: value };
  const values = (Array.isArray(value) ? value : [value]) as readonly string[] | readonly number[];
  if (values.length === 0) return { bytes: new Uint8Array(0) };
  if (values.every((one) => typeof one === 'number'))
    return encodeNumbers(tag, vr, values as readonly number[], littleEndian);
  if (!values.every((one) => typeof one === 'string')) refuse(tag, vr, 'mixes strings and numbers');
  const { kind } = vrRule(vr);
  if (kind !== 'text' && kind !== 'ascii') refuse(tag, vr, 'cannot be a string');
  return encodeStrings(tag, vr, values as readonly string[]);
}
