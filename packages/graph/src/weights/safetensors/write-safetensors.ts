/** Writes safetensors: the same tensors give the same bytes, whatever their order was. One tensor is in memory at a time. */
import { checkedName } from '../checked-name.js';
import { ELEMENT_TYPES, type ElementType } from '../element-type.js';
import { DEFAULT_WEIGHTS_LIMITS } from '../limits.js';
import { WeightsError } from '../weights-error.js';
import { joined, type WritableTensor, writtenBytes } from '../writable-tensor.js';
import { LENGTH_BYTES, METADATA_KEY } from './read-safetensors.js';

/** The data begins at a multiple of this, as the format's own library does. */
const ALIGNMENT = 8;

/** Of types in the file. */
const ORDER: readonly ElementType[] = [
  'uint64',
  'int64',
  'float64',
  'float32',
  'uint32',
  'int32',
  'bfloat16',
  'float16',
  'uint16',
  'int16',
  'int8',
  'uint8',
  'bool',
];

/**
 * The file piece by piece. Tensors are sorted by type, the widest first (so that each is aligned to its own size), then by
 * name: as the format's own library does, so that it gives the same file. Throws WeightsError for names and shapes that cannot be written.
 */
export async function* safetensorsChunks(
  tensors: readonly WritableTensor[],
  metadata: ReadonlyMap<string, string> = new Map(),
): AsyncGenerator<Uint8Array> {
  const ordered = [...tensors].sort(
    (a, b) => ORDER.indexOf(a.dtype) - ORDER.indexOf(b.dtype) || (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
  const fields: string[] = [];
  if (metadata.size > 0) fields.push(`${JSON.stringify(METADATA_KEY)}:${stringsAsJson(metadata)}`);
  const names = new Set<string>([METADATA_KEY]);
  let offset = 0;
  for (const tensor of ordered) {
    const name = checkedName(tensor.name, DEFAULT_WEIGHTS_LIMITS);
    if (names.has(name)) throw new WeightsError('duplicate-name', 'Two tensors have one name', { where: name });
    names.add(name);
    const end = offset + writtenBytes(tensor);
    const facts = { dtype: ELEMENT_TYPES[tensor.dtype].safetensors, shape: tensor.shape, data_offsets: [offset, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(facts)}`);
    offset = end;
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const length = Math.ceil(header.length / ALIGNMENT) * ALIGNMENT;
  const start = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(length), true);
  start.set(header, LENGTH_BYTES);
  yield start;
  for (const tensor of ordered) {
    const bytes = await tensor.read();
    if (bytes.length !== writtenBytes(tensor))
      throw new WeightsError('out-of-bounds', `A tensor gives ${bytes.length} bytes`, { where: tensor.name });
    yield bytes;
  }
}

export function writeSafetensors(
  tensors: readonly WritableTensor[],
  metadata?: ReadonlyMap<string, string>,
): Promise<Uint8Array> {
  return joined(safetensorsChunks(tensors, metadata));
}

function stringsAsJson(map: ReadonlyMap<string, string>): string {
  const pairs = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
}
