/** From a tensor in a file to a Tensor of this package, aligned and ready for a graph. */
import { type ArrayOf, arrayTypes } from '../tensor/dtype.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import type { NamedTensor } from './checkpoint.js';
import { WeightsError } from './weights-error.js';

/**
 * Types that graphs do not have are widened to one that holds every value of them. Nobody may write into the result:
 * names that share weights may share it. Throws WeightsError `unsupported-dtype` (uint64), and what `read`
 * throws.
 */
export async function loadTensor(named: NamedTensor): Promise<Tensor> {
  const { dtype } = named;
  if (dtype === 'uint64')
    throw new WeightsError('unsupported-dtype', 'Graphs hold no uint64', {
      where: named.name,
      next: 'Convert the tensor in Python to int64 and save again.',
    });
  const read = await named.read();
  // Little-endian machines only, as all that Node runs on. Typed arrays want their own alignment, which files do not keep;
  // `new`, because the `slice` of a Buffer is no copy.
  const bytes = read.byteOffset % LARGEST_ELEMENT === 0 ? read : new Uint8Array(read);
  const { buffer, byteOffset } = bytes;
  const count = named.shape.reduce((product, side) => product * side, 1);
  switch (dtype) {
    case 'bfloat16':
      // The upper half of a float32.
      return tensor('float32', named.shape, floatsOf(new Uint16Array(buffer, byteOffset, count)));
    case 'int8':
      return tensor('int32', named.shape, Int32Array.from(new Int8Array(buffer, byteOffset, count)));
    case 'int16':
      return tensor('int32', named.shape, Int32Array.from(new Int16Array(buffer, byteOffset, count)));
    case 'uint16':
      return tensor('int32', named.shape, Int32Array.from(new Uint16Array(buffer, byteOffset, count)));
    case 'uint32':
      return tensor('int64', named.shape, BigInt64Array.from(new Uint32Array(buffer, byteOffset, count), BigInt));
    default: {
      const Type = arrayTypes[dtype];
      return tensor(dtype, named.shape, new Type(buffer as ArrayBuffer, byteOffset, count) as ArrayOf[typeof dtype]);
    }
  }
}

const LARGEST_ELEMENT = 8;

function floatsOf(halves: Uint16Array): Float32Array {
  const bits = Uint32Array.from(halves, (half) => half << 16);
  return new Float32Array(bits.buffer);
}
