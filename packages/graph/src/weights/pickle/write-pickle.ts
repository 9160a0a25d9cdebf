/** The pickle of a state dict, protocol 2: what torch.save writes for an OrderedDict of tensors, without its memo. */
import { stridesOf } from '../../tensor/shape.js';
import { ELEMENT_TYPES, type ElementType } from '../element-type.js';
import { OPCODES as op } from './opcodes.js';

export interface StoredTensor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Entry `data/<key>`, which holds exactly this tensor. */
  readonly key: string;
  readonly elements: number;
}

export function pickledStateDict(tensors: readonly StoredTensor[]): Uint8Array {
  const out = new PickleWriter();
  out.byte(op.PROTO, 2);
  out.orderedDict();
  out.byte(op.MARK);
  for (const tensor of tensors) {
    out.text(tensor.name);
    out.tensor(tensor);
  }
  out.byte(op.SETITEMS, op.STOP);
  return out.bytes();
}

class PickleWriter {
  private readonly parts: number[] = [];

  bytes(): Uint8Array {
    return Uint8Array.from(this.parts);
  }

  byte(...bytes: number[]): void {
    for (const byte of bytes) this.parts.push(byte);
  }

  orderedDict(): void {
    this.global('collections', 'OrderedDict');
    this.byte(op.EMPTY_TUPLE, op.REDUCE);
  }

  /** torch._utils._rebuild_tensor_v2, or v3 with a dtype for types that have no storage class of their own. */
  tensor({ dtype, shape, key, elements }: StoredTensor): void {
    const { storage, torch, bytes } = ELEMENT_TYPES[dtype];
    this.global('torch._utils', storage ? '_rebuild_tensor_v2' : '_rebuild_tensor_v3');
    this.byte(op.MARK, op.MARK);
    this.text('storage');
    if (storage) this.global('torch', storage);
    else this.global('torch.storage', 'UntypedStorage');
    this.text(key);
    this.text('cpu');
    this.integer(storage ? elements : elements * bytes);
    this.byte(op.TUPLE, op.BINPERSID);
    this.integer(0);
    this.integers(shape);
    this.integers(stridesOf(shape.map((side) => Math.max(side, 1))));
    this.byte(op.NEWFALSE);
    this.orderedDict();
    if (!storage) {
      this.global('torch', torch);
      this.byte(op.NONE);
    }
    this.byte(op.TUPLE, op.REDUCE);
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.byte(op.BINUNICODE, ...littleEndian(bytes.length, 4), ...bytes);
  }

  private global(module: string, name: string): void {
    this.byte(op.GLOBAL, ...new TextEncoder().encode(`${module}\n${name}\n`));
  }

  private integers(values: readonly number[]): void {
    this.byte(op.MARK);
    for (const value of values) this.integer(value);
    this.byte(op.TUPLE);
  }

  private integer(value: number): void {
    if (value <= LARGEST_INT) this.byte(op.BININT, ...littleEndian(value, 4));
    else this.byte(op.LONG1, 8, ...littleEndian(value, 8));
  }
}

const LARGEST_INT = 2 ** 31 - 1;

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, n) => Math.floor(value / 2 ** (8 * n)) % 256);
}
