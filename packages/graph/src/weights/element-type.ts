/**
 * The element types of tensors in files, with what PyTorch and safetensors call them. Names are ONNX's and numpy's.
 * One table, because every reader and writer asks it: a type that is missing here is refused by name everywhere.
 */
export type ElementType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool'
  | 'uint16'
  | 'uint32'
  | 'uint64';

export interface ElementTypeFacts {
  readonly bytes: number;
  /** Class of PyTorch's typed storage; the unsigned types beyond uint8 came after it and have none. */
  readonly storage: string | undefined;
  /** `torch.<name>`. */
  readonly torch: string;
  readonly safetensors: string;
}

function facts(bytes: number, storage: string | undefined, torch: string, safetensors: string): ElementTypeFacts {
  return Object.freeze({ bytes, storage, torch, safetensors });
}

export const ELEMENT_TYPES: Readonly<Record<ElementType, ElementTypeFacts>> = Object.freeze({
  float64: facts(8, 'DoubleStorage', 'float64', 'F64'),
  float32: facts(4, 'FloatStorage', 'float32', 'F32'),
  float16: facts(2, 'HalfStorage', 'float16', 'F16'),
  bfloat16: facts(2, 'BFloat16Storage', 'bfloat16', 'BF16'),
  int64: facts(8, 'LongStorage', 'int64', 'I64'),
  int32: facts(4, 'IntStorage', 'int32', 'I32'),
  int16: facts(2, 'ShortStorage', 'int16', 'I16'),
  int8: facts(1, 'CharStorage', 'int8', 'I8'),
  uint8: facts(1, 'ByteStorage', 'uint8', 'U8'),
  bool: facts(1, 'BoolStorage', 'bool', 'BOOL'),
  uint16: facts(2, undefined, 'uint16', 'U16'),
  uint32: facts(4, undefined, 'uint32', 'U32'),
  uint64: facts(8, undefined, 'uint64', 'U64'),
});

const byName = (pick: (facts: ElementTypeFacts) => string | undefined): ReadonlyMap<string, ElementType> =>
  new Map(
    (Object.keys(ELEMENT_TYPES) as ElementType[]).flatMap((type): [string, ElementType][] => {
      const name = pick(ELEMENT_TYPES[type]);
      return name === undefined ? [] : [[name, type]];
    }),
  );

export const typeOfStorage = byName((entry) => entry.storage);
export const typeOfTorchName = byName((entry) => entry.torch);
export const typeOfSafetensors = byName((entry) => entry.safetensors);

/** Product of a shape (elements), or undefined when it is not a number of elements that any file could hold. */
export function elementsOf(shape: readonly number[]): number | undefined {
  let product = 1;
  for (const side of shape) {
    if (!Number.isSafeInteger(side) || side < 0) return undefined;
    product *= side;
  }
  // Zeros may follow sides whose product alone is out of reach: the product is then 0, NaN or a safe number.
  if (shape.includes(0)) return 0;
  return Number.isSafeInteger(product) ? product : undefined;
}
