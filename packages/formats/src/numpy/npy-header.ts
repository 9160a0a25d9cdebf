/** The header of a .npy file (NumPy's format 1.0 to 3.0): a Python literal, read by a parser that knows nothing but this dict. */
import { FormatError } from '../format-error.js';
import type { Endian, SampleType } from '../voxels/sample-type.js';

export interface NpyHeader {
  readonly type: SampleType;
  readonly endian: Endian;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  readonly dataOffset: number;
}

export const NPY_MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** NumPy itself refuses longer ones, because parsing them costs more than they can mean. */
const MAX_HEADER_BYTES = 10_000;

/** `descr` without its byte order. */
const TYPES: ReadonlyMap<string, SampleType> = new Map([
  ['b1', 'uint8'],
  ['u1', 'uint8'],
  ['i1', 'int8'],
  ['u2', 'uint16'],
  ['i2', 'int16'],
  ['u4', 'uint32'],
  ['i4', 'int32'],
  ['u8', 'uint64'],
  ['i8', 'int64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
]);

export function isNpy(start: Uint8Array): boolean {
  return NPY_MAGIC.equals(start.subarray(0, NPY_MAGIC.length));
}

function damaged(message: string): FormatError {
  return new FormatError('corrupt', `The .npy header is damaged: ${message}`, {
    where: 'npy header',
    next: 'Save the array again with numpy.save.',
  });
}

/** Throws FormatError `not-this-format`, `truncated`, `corrupt`, `unsupported-datatype`. */
export function parseNpyHeader(bytes: Uint8Array): NpyHeader {
  if (!isNpy(bytes))
    throw new FormatError('not-this-format', 'This is not a .npy file', {
      where: 'first bytes',
      next: 'Give a file made by numpy.save.',
    });
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = buffer[6];
  if (buffer.length >= 8 && !(major >= 1 && major <= 3)) throw damaged(`version ${major} is unknown`);
  const lengthBytes = major === 1 ? 2 : 4;
  const start = 8 + lengthBytes;
  if (buffer.length < start) throw cut();
  const length = buffer.readUIntLE(8, lengthBytes);
  if (length > MAX_HEADER_BYTES) throw damaged(`${length} bytes are too many`);
  if (buffer.length < start + length) throw cut();
  return { ...parseDict(buffer.toString('latin1', start, start + length)), dataOffset: start + length };
}

function cut(): FormatError {
  return new FormatError('truncated', 'The .npy file ends in its header', {
    where: 'npy header',
    next: 'Copy or save the file again.',
  });
}

/** One `'key': value,` with a string, a bool or a tuple of whole numbers as value. Only one way to match: no backtracking. */
const ITEM =
  /\s*'(descr|fortran_order|shape)'\s*:\s*(?:'([^']*)'|(True|False)|\(((?:\s*\d+\s*,)*\s*(?:\d+\s*)?)\))\s*(,|(?=\}))/y;

function parseDict(text: string): Omit<NpyHeader, 'dataOffset'> {
  if (!text.startsWith('{')) throw damaged('no dictionary');
  const found = new Map<string, RegExpExecArray>();
  ITEM.lastIndex = 1;
  for (let item = ITEM.exec(text); item; item = ITEM.exec(text)) found.set(item[1], item);
  const descr = found.get('descr')?.[2];
  const order = found.get('fortran_order')?.[3];
  const shape = found.get('shape')?.[4];
  if (descr === undefined && /'descr'\s*:\s*\[/.test(text)) throw unsupported('a structured array');
  if (descr === undefined || order === undefined || shape === undefined)
    throw damaged('a field is missing or unreadable');
  const type = TYPES.get(descr.slice(1));
  if (!type || !'<>|='.includes(descr[0]))
    throw unsupported(/O/.test(descr) ? 'an array of Python objects' : 'this type');
  return {
    type,
    endian: descr[0] === '>' ? 'big' : 'little',
    fortranOrder: order === 'True',
    shape: (shape.match(/\d+/g) ?? []).map(Number),
  };
}

function unsupported(what: string): FormatError {
  return new FormatError('unsupported-datatype', `The .npy file holds ${what}, which is not read`, {
    where: 'descr',
    next: 'Save a plain array of integers or floating-point numbers; pickled objects are never loaded.',
  });
}
