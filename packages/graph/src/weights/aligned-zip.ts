/**
 * A zip as PyTorch writes it (PKWARE APPNOTE 4.3; stored entries, data at multiples of 64 by an extra field `FB`). It
 * only writes; zips are opened by @isocenter/formats. Why not written there too: docs/decisions/0004.
 */
import { crc32 } from 'node:zlib';
import { WeightsError } from './weights-error.js';

export interface AlignedEntry {
  readonly name: string;
  readonly size: number;
  read(): Promise<Uint8Array>;
}

const ALIGNMENT = 64;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
/** id and length of an extra field. */
const EXTRA_HEAD_BYTES = 4;
const PADDING_ID = 0x4246;
const PADDING_BYTE = 0x5a;
const UTF8_NAMES = 1 << 11;
/** APPNOTE 4.4.6 cannot say "no time": the first one that it can, so that every day gives the same bytes. */
const FIRST_DATE = 0x21;
/** Beyond it a zip needs the 64-bit fields, and a file of that size is better read by ranges. */
const LARGEST_ZIP = 0xffff_ffff - 1;
const MOST_ENTRIES = 0xffff - 1;

/** Throws WeightsError `limit-exceeded` beyond 4 GiB or 65,534 entries. */
export async function* alignedZip(entries: readonly AlignedEntry[]): AsyncGenerator<Uint8Array> {
  if (entries.length > MOST_ENTRIES || entries.reduce((sum, { size }) => sum + size, 0) > LARGEST_ZIP) throw tooLarge();
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const bytes = await entry.read();
    if (bytes.length !== entry.size)
      throw new WeightsError('out-of-bounds', `A tensor gives ${bytes.length} bytes instead of ${entry.size}`, {
        where: entry.name,
      });
    const name = new TextEncoder().encode(entry.name);
    const head = localHeader(name, bytes, crc32(bytes), offset);
    directory.push(centralHeader(name, head, offset));
    offset += head.length + bytes.length;
    if (offset > LARGEST_ZIP) throw tooLarge();
    yield head;
    yield bytes;
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0);
  yield* directory;
  const end = new DataView(new ArrayBuffer(END_BYTES));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, entries.length, true);
  end.setUint16(10, entries.length, true);
  end.setUint32(12, directoryBytes, true);
  end.setUint32(16, offset, true);
  yield new Uint8Array(end.buffer);
}

function localHeader(name: Uint8Array, bytes: Uint8Array, crc: number, offset: number): Uint8Array {
  const bare = offset + LOCAL_BYTES + name.length + EXTRA_HEAD_BYTES;
  const padding = (ALIGNMENT - (bare % ALIGNMENT)) % ALIGNMENT;
  const head = new Uint8Array(LOCAL_BYTES + name.length + EXTRA_HEAD_BYTES + padding).fill(PADDING_BYTE);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0x04034b50, true);
  commonFields(view, 4, crc, bytes.length, name.length);
  view.setUint16(28, EXTRA_HEAD_BYTES + padding, true);
  head.set(name, LOCAL_BYTES);
  view.setUint16(LOCAL_BYTES + name.length, PADDING_ID, true);
  view.setUint16(LOCAL_BYTES + name.length + 2, padding, true);
  return head;
}

/** Version, flags, method (stored), time, date, CRC-32, the two sizes, length of the name: the same in both headers. */
function commonFields(view: DataView, at: number, crc: number, size: number, nameBytes: number): void {
  view.setUint16(at, 20, true);
  view.setUint16(at + 2, UTF8_NAMES, true);
  view.setUint16(at + 4, 0, true);
  view.setUint16(at + 6, 0, true);
  view.setUint16(at + 8, FIRST_DATE, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, size, true);
  view.setUint32(at + 18, size, true);
  view.setUint16(at + 22, nameBytes, true);
}

/** The extra field is only needed in front of the data. */
function centralHeader(name: Uint8Array, local: Uint8Array, offset: number): Uint8Array {
  const from = new DataView(local.buffer);
  const head = new Uint8Array(CENTRAL_BYTES + name.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, 20, true);
  commonFields(view, 6, from.getUint32(14, true), from.getUint32(18, true), name.length);
  view.setUint32(42, offset, true);
  head.set(name, CENTRAL_BYTES);
  return head;
}

function tooLarge(): WeightsError {
  return new WeightsError('limit-exceeded', 'The weights are too many for a .pt file of ours (4 GiB, 65,534 tensors)', {
    next: 'Write safetensors, which has no such limit.',
  });
}
