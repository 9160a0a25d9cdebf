/**
 * What a pickle can become here: plain records. There is no class of the program among them, no method and no prototype
 * taken from the file; dicts are Maps, so a key named `__proto__` is a key like any other.
 */
import type { ElementType } from '../element-type.js';

export type PyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PyList
  | PyTuple
  | PyDict
  | PySet
  | PyGlobal
  | PyName
  | PyStorage
  | PyTensor
  | PyNumpyType
  | PyNumpyArray
  | PyInstance
  | PyOpaque;

export interface PyList {
  readonly kind: 'list';
  readonly items: PyValue[];
}

export interface PyTuple {
  readonly kind: 'tuple';
  readonly items: readonly PyValue[];
}

export interface PyDict {
  readonly kind: 'dict';
  /** An OrderedDict, which may carry attributes (`_metadata`): they are read and left out. */
  readonly ordered: boolean;
  readonly entries: Map<PyValue, PyValue>;
}

export interface PySet {
  readonly kind: 'set';
  readonly items: Set<PyValue>;
}

/** A name on the allow-list. `call` is our own code for REDUCE, `create` for NEWOBJ; without them it cannot be called. */
export interface PyGlobal {
  readonly kind: 'global';
  readonly name: string;
  readonly call?: (args: readonly PyValue[]) => PyValue;
  readonly create?: () => PyValue;
  /** Element type of a storage class or of a dtype; `untyped` for a storage that counts bytes. */
  readonly elements?: ElementType | 'untyped';
}

/** Words without meaning for us: a device. */
export interface PyName {
  readonly kind: 'name';
  readonly text: string;
}

/** Bytes `from … from + bytes` of the storage called `key`. */
export interface PyStorage {
  readonly kind: 'storage';
  readonly key: string;
  readonly elements: ElementType | 'untyped';
  readonly from: number;
  readonly bytes: number;
}

/** A view: offset, shape and strides in elements, checked against the storage. */
export interface PyTensor {
  readonly kind: 'tensor';
  readonly storage: PyStorage;
  readonly dtype: ElementType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export interface PyNumpyType {
  readonly kind: 'numpy-type';
  readonly code: string;
  littleEndian: boolean;
}

/** Accepted and left out: its numbers are no weights. */
export interface PyNumpyArray {
  readonly kind: 'numpy-array';
}

/** An object of a TorchScript class: its attributes, never its code. */
export interface PyInstance {
  readonly kind: 'instance';
  readonly className: string;
  state: PyValue;
}

/** In place of what was refused, when the caller asked to go on; swallows whatever the pickle adds to it. */
export interface PyOpaque {
  readonly kind: 'opaque';
  readonly refused: string;
}

/** For messages. */
export function kindOf(value: PyValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof Uint8Array) return 'bytes';
  return typeof value === 'object' ? value.kind : typeof value;
}

export function isKind<Kind extends (PyValue & { kind: string })['kind']>(
  value: PyValue | undefined,
  kind: Kind,
): value is Extract<PyValue, { kind: Kind }> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === kind;
}
