/** Tensors to and from their ONNX messages. Written as raw bytes; read from raw bytes or from the older typed lists. */
import { create } from '@bufbuild/protobuf';
import { GraphError } from '../errors/graph-error.js';
import { arrayTypes, bytesPerElement, type TensorData } from '../tensor/dtype.js';
import { codeOfDtype, dtypeOfCode } from '../tensor/onnx-types.js';
import { showShape, sizeOf } from '../tensor/shape.js';
import { bytesOf, type Tensor, tensorOf } from '../tensor/tensor.js';
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from './onnx.generated.js';

/** Shares the bytes of the tensor; empty `name` for tensors in attributes. */
export const tensorProto = (name: string, value: Tensor, withBytes = true): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims: value.shape.map(BigInt),
    dataType: codeOfDtype(value.dtype),
    ...(withBytes ? { rawData: bytesOf(value) } : {}),
  });

/** Throws GraphError `wrong-type`, `too-large` (external data), `not-onnx` (sizes that do not fit the bytes). */
export function readTensor(proto: TensorProto, where = proto.name): Tensor {
  const dtype = dtypeOfCode(proto.dataType);
  const shape = proto.dims.map(Number);
  if (!dtype) throw new GraphError('wrong-type', `Tensor "${where}" has ONNX type ${proto.dataType}`, { where });
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL)
    throw new GraphError('too-large', `Tensor "${where}" lies in another file`, {
      where,
      next: 'Bring a model that holds its weights itself (below 2 GB)',
    });
  if (proto.rawData.length > 0 || sizeOf(shape) === 0) {
    const { rawData } = proto;
    const width = bytesPerElement(dtype);
    if (rawData.length !== sizeOf(shape) * width)
      throw new GraphError('not-onnx', `Tensor "${where}" (${showShape(shape)}) has ${rawData.length} bytes`, {
        where,
      });
    // Typed arrays must begin at a multiple of their element; messages begin anywhere. (slice() of a Buffer would not copy.)
    const aligned = rawData.byteOffset % width === 0 ? rawData : new Uint8Array(rawData);
    const data = new arrayTypes[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, sizeOf(shape)) as TensorData;
    return { dtype, shape, data };
  }
  const list = [proto.floatData, proto.int32Data, proto.doubleData].find((numbers) => numbers.length > 0);
  const numbers = list ?? proto.int64Data.map(Number);
  if (numbers.length !== sizeOf(shape))
    throw new GraphError('not-onnx', `Tensor "${where}" (${showShape(shape)}) has ${numbers.length} elements`, {
      where,
    });
  // In a typed list a float16 is written as its bits.
  if (dtype === 'float16') return { dtype, shape, data: Uint16Array.from(numbers) };
  return tensorOf(dtype, shape, numbers);
}
