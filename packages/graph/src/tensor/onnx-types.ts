/** Type numbers of ONNX (TensorProto.DataType) for the types that graphs here use. */
import type { DType } from './dtype.js';

const codes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 } as const;

export const codeOfDtype = (dtype: DType): number => codes[dtype];

export function dtypeOfCode(code: number): DType | undefined {
  return (Object.keys(codes) as DType[]).find((dtype) => codes[dtype] === code);
}
