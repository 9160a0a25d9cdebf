/** Modality and VOI tables (PS3.3 C.11.1.1.1, C.11.2.1.1): descriptor and entries, looked up inside their bounds. */
import type { Dataset } from '@isocenter/dicom';

export interface LookUpTable {
  /** Input value of the first entry. */
  readonly first: number;
  readonly entries: ArrayLike<number>;
  /** Bits of an entry. */
  readonly bits: number;
}

/** `0` entries in a descriptor mean this many. */
const FULL_TABLE = 65536;

/** Undefined when the item holds no usable table: the image is then shown without it. */
export function readLookUpTable(item: Dataset): LookUpTable | undefined {
  const [declared, first, bits] = item.numbers('LUTDescriptor');
  const bytes = item.bytes('LUTData');
  if (declared === undefined || first === undefined || bits === undefined || !bytes) return undefined;
  const count = declared === 0 ? FULL_TABLE : declared < 0 ? declared + FULL_TABLE : declared;
  const wide = bytes.length >= count * 2;
  if (bytes.length < count || bits < 1 || bits > 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries = Uint16Array.from({ length: count }, (_, at) =>
    wide ? view.getUint16(2 * at, item.littleEndian) : bytes[at],
  );
  return { first, entries, bits };
}

/** Values before the first or behind the last entry take that entry. */
export function lookUp({ first, entries }: LookUpTable, value: number): number {
  const at = Math.min(Math.max(Math.round(value - first), 0), entries.length - 1);
  return entries[at];
}
