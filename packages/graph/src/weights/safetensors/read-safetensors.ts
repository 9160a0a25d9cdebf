/**
 * safetensors (github.com/huggingface/safetensors, "Format"): a 64-bit length, a JSON header, the bytes. The header must
 * describe every byte exactly once; what overlaps, leaves holes or reaches outside is refused before anything is read.
 */
import { checkedName } from '../checked-name.js';
import type { Checkpoint, CheckpointValue, NamedTensor } from '../checkpoint.js';
import { ELEMENT_TYPES, elementsOf, typeOfSafetensors } from '../element-type.js';
import { DEFAULT_WEIGHTS_LIMITS, type WeightsLimits } from '../limits.js';
import type { ReadWeightsOptions } from '../pytorch-archive.js';
import type { RandomAccess } from '../random-access.js';
import { FETCH_AGAIN, shown, WeightsError } from '../weights-error.js';
import { type HeaderObject, type HeaderValue, parseHeader } from './header-json.js';

export const LENGTH_BYTES = 8;
export const METADATA_KEY = '__metadata__';

/** Throws WeightsError. The header is read now, tensors when they are asked for. */
export async function readSafetensors(file: RandomAccess, options: ReadWeightsOptions = {}): Promise<Checkpoint> {
  const limits = { ...DEFAULT_WEIGHTS_LIMITS, ...options.limits };
  const headerBytes = await headerLength(file, limits);
  const dataStart = LENGTH_BYTES + headerBytes;
  const header = parseHeader(headerText(await file.read(LENGTH_BYTES, headerBytes)));
  if (header.size > limits.maximumTensors + 1)
    throw bad(`The header names ${header.size} tensors; ${limits.maximumTensors} are allowed`);
  const values = metadata(header.get(METADATA_KEY), limits);
  const placed = [...header]
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, facts]) => placeOf(checkedName(name, limits), facts, limits))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  coversAll(placed, file.size - dataStart);
  const tensors = placed.map(({ name, dtype, shape, from, to }): NamedTensor => {
    const read = () => file.read(dataStart + from, to - from);
    return Object.freeze({ name, path: [name], dtype, shape, bytes: to - from, view: `${from}|${name}`, read });
  });
  return Object.freeze({ format: 'safetensors', tensors, constants: [], values, refused: [] });
}

async function headerLength(file: RandomAccess, limits: WeightsLimits): Promise<number> {
  const head = await file.read(0, LENGTH_BYTES);
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  if (length > BigInt(limits.maximumHeaderBytes))
    throw new WeightsError('limit-exceeded', `The header announces ${length} bytes`, {
      next: `At most ${limits.maximumHeaderBytes} are allowed: this is no safetensors file, or a damaged one.`,
    });
  if (LENGTH_BYTES + Number(length) > file.size)
    throw new WeightsError('truncated', `The header announces ${length} bytes; the file has ${file.size}`, {
      next: FETCH_AGAIN,
    });
  return Number(length);
}

function headerText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw bad('The header is no UTF-8 text', undefined, cause);
  }
}

function metadata(value: HeaderValue | undefined, limits: WeightsLimits): ReadonlyMap<string, CheckpointValue> {
  if (value === undefined) return new Map();
  if (!(value instanceof Map)) throw bad('The metadata is not an object', METADATA_KEY);
  for (const [key, text] of value as HeaderObject)
    if (typeof text !== 'string')
      throw bad(`The metadata holds something else than texts`, shown(checkedName(key, limits)));
  return value as ReadonlyMap<string, string>;
}

function placeOf(name: string, facts: HeaderValue, limits: WeightsLimits) {
  if (!(facts instanceof Map)) throw bad('A tensor is not described by an object', name);
  const { dtype: code, shape, data_offsets: offsets, ...others } = Object.fromEntries(facts as HeaderObject);
  if (Object.keys(others).length > 0) throw bad('A tensor has fields that the format does not know', name);
  if (typeof code !== 'string') throw bad('A tensor has no dtype', name);
  const dtype = typeOfSafetensors.get(code);
  if (!dtype)
    throw new WeightsError('unsupported-dtype', `Elements of type ${shown(code)} are not read`, {
      where: name,
      next: 'Convert the tensor in Python, for example tensor.float(), and save again.',
    });
  if (!isNaturals(shape) || shape.length > limits.maximumRank) throw bad('The shape of a tensor is none', name);
  if (!isNaturals(offsets) || offsets.length !== 2) throw bad('The offsets of a tensor are none', name);
  const [from, to] = offsets;
  const elements = elementsOf(shape);
  if (elements === undefined || elements * ELEMENT_TYPES[dtype].bytes !== to - from)
    throw bad(`A tensor of shape ${shape.join('x')} and type ${code} does not fill ${to - from} bytes`, name);
  return { name, dtype, shape, from, to };
}

function isNaturals(value: HeaderValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((side) => typeof side === 'number' && side >= 0);
}

interface Place {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** `placed` in the order of the bytes. */
function coversAll(placed: readonly Place[], dataBytes: number): void {
  let end = 0;
  for (const { name, from, to } of placed) {
    if (from < end) throw bad('Two tensors share the same bytes', name);
    if (from > end) throw bad(`${from - end} bytes before a tensor belong to none`, name);
    end = to;
  }
  if (end > dataBytes)
    throw new WeightsError('truncated', `The tensors have ${end} bytes; the file has ${dataBytes} of them`, {
      next: FETCH_AGAIN,
    });
  if (end < dataBytes) throw bad(`${dataBytes - end} bytes at the end of the file belong to no tensor`);
}

function bad(message: string, where?: string, cause?: unknown): WeightsError {
  return new WeightsError('bad-header', message, {
    where,
    cause,
    next: 'The file is damaged, or made by hand: save it again with safetensors.',
  });
}
