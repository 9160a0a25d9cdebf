/** Each slice's place in the final array, seen as what it holds first: stored values of the file's own width. */
import type { Frame, Instance } from './frame.js';
import type { StoredArray } from './rescale.js';
import type { VolumeArray } from './values.js';

/** Bytes of one stored value once decoded; signed bytes are kept in 16 bits, since no volume holds 8 signed ones. */
export function storedBytes({ bitsAllocated, signed }: Instance): 1 | 2 | 4 {
  if (bitsAllocated > 16) return 4;
  return bitsAllocated > 8 || signed ? 2 : 1;
}

export function storedView(instance: Instance, buffer: ArrayBufferLike, offset: number, length: number): StoredArray {
  const { signed } = instance;
  switch (storedBytes(instance)) {
    case 1:
      return new Uint8Array(buffer, offset, length);
    case 2:
      return signed ? new Int16Array(buffer, offset, length) : new Uint16Array(buffer, offset, length);
    case 4:
      return signed ? new Int32Array(buffer, offset, length) : new Uint32Array(buffer, offset, length);
  }
}

/** Slice k of the final array. */
export function slotOf(data: VolumeArray, slice: Frame, k: number): VolumeArray {
  const size = slice.rows * slice.columns;
  return data.subarray(k * size, (k + 1) * size);
}

/**
 * Stored values at the END of the slot, where they are no wider than the result: rescaling from first to last then
 * never overwrites a value that it has not read, and no slice needs a buffer of its own.
 */
export function storedInSlot(slot: VolumeArray, instance: Instance): StoredArray {
  const offset = slot.byteOffset + slot.length * (slot.BYTES_PER_ELEMENT - storedBytes(instance));
  return storedView(instance, slot.buffer, offset, slot.length);
}

/** One tile of a mosaic in an array of its own. */
export function takeTile(sheet: StoredArray, { tile, rows, columns, instance }: Frame): StoredArray {
  const out = sheet.slice(0, rows * columns);
  const { row, column } = tile ?? { row: 0, column: 0 };
  for (let r = 0; r < rows; r++) {
    const from = (row + r) * instance.columns + column;
    out.set(sheet.subarray(from, from + columns), r * columns);
  }
  return out;
}
