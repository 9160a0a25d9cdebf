/**
 * Which numbers a volume holds: the array type that keeps them exactly with the fewest bytes, and their unit
 * (PS3.3 C.11.1 Modality LUT, C.8.9.1 PET Units). Decided from headers; only an overflow of 16 bits is seen in the pixels.
 */
import type { Dataset } from '../dataset/dataset.js';
import type { Frame, Rescale } from './frame.js';

export type VolumeArray = Int16Array | Uint16Array | Uint8Array | Float32Array;
export type ValueType = 'int16' | 'uint16' | 'uint8' | 'float32';

/** 'HU', 'SUVbw', a PET unit ('BQML', 'GML', 'CNTS' …), a Rescale Type, or 'arbitrary' (MR and everything unsaid). */
export type Units = 'HU' | 'SUVbw' | 'arbitrary' | (string & {});

export const IDENTITY_RESCALE: Rescale = { slope: 1, intercept: 0, type: '' };

export function isIdentity(rescale: Pick<Rescale, 'slope' | 'intercept'>): boolean {
  return rescale.slope === 1 && rescale.intercept === 0;
}

/**
 * 'int16' is meant optimistically: the loader turns to 'float32' when a rescaled value does not fit, which depends on
 * the pixels only, never on the order of reading.
 */
export function valueTypeFor(
  frames: readonly Frame[],
  options: { readonly suv?: 'bw'; readonly padding?: number } = {},
): ValueType {
  const { suv, padding } = options;
  if (suv || (padding !== undefined && !isInt16(padding))) return 'float32';
  const rescales = frames.map((frame) => frame.rescale ?? IDENTITY_RESCALE);
  const whole = rescales.every(({ slope, intercept }) => Number.isInteger(slope) && Number.isInteger(intercept));
  if (!whole || frames.some((frame) => frame.instance.bitsAllocated > 16)) return 'float32';
  if (padding !== undefined) return 'int16';
  const unsigned = frames.every((frame) => !frame.instance.signed) && rescales.every(isIdentity);
  if (!unsigned || frames[0].instance.Modality === 'CT') return 'int16';
  return frames.every((frame) => frame.instance.bitsAllocated <= 8) ? 'uint8' : 'uint16';
}

function isInt16(value: number): boolean {
  return Number.isInteger(value) && value >= -32768 && value <= 32767;
}

/** `shared`: on memory that worker threads can write to. */
export function allocate(type: ValueType, length: number, shared = false): VolumeArray {
  const bytes = length * BYTES_PER_VALUE[type];
  const buffer = shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  switch (type) {
    case 'int16':
      return new Int16Array(buffer);
    case 'uint16':
      return new Uint16Array(buffer);
    case 'uint8':
      return new Uint8Array(buffer);
    case 'float32':
      return new Float32Array(buffer);
  }
}

export const BYTES_PER_VALUE: Readonly<Record<ValueType, number>> = { int16: 2, uint16: 2, uint8: 1, float32: 4 };

export function unitsOf(frame: Frame): Units {
  const { instance, rescale } = frame;
  const type = rescale?.type ?? '';
  if (instance.Modality === 'PT') return petUnits(instance.header);
  // Rescale Type US means "unspecified"; CT images without it are in Hounsfield units by their IOD (C.8.2.1).
  if (instance.Modality === 'CT') return type === '' || type === 'US' ? 'HU' : type;
  return type === '' || type === 'US' ? 'arbitrary' : type;
}

/** GML is SUV, by body weight unless SUV Type says otherwise (C.8.9.1.1.3). */
function petUnits(header: Dataset): Units {
  const units = header.string('Units') ?? 'arbitrary';
  return units === 'GML' && (header.string('SUVType') ?? 'BW') === 'BW' ? 'SUVbw' : units;
}
