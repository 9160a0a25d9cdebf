/** From a file to a Tensor: every value of every type stays, wherever its bytes lie in memory. */
import { expect, it } from 'vitest';
import { numbersOf } from '../tensor/tensor.js';
import type { NamedTensor } from './checkpoint.js';
import type { ElementType } from './element-type.js';
import { loadTensor } from './load-tensor.js';

function named(dtype: ElementType, shape: number[], bytes: Uint8Array): NamedTensor {
  return { name: 't', path: ['t'], dtype, shape, bytes: bytes.length, view: 't', read: async () => bytes };
}

const bytesOf = (array: ArrayBufferView) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

const CASES: [ElementType, string, Buffer, number[]][] = [
  ['float64', 'float64', bytesOf(Float64Array.of(Math.PI, -0)), [Math.PI, -0]],
  ['float32', 'float32', bytesOf(Float32Array.of(1.5, -2)), [1.5, -2]],
  ['float16', 'float16', bytesOf(Uint16Array.of(0x3c00, 0xfbff)), [1, -65504]],
  ['bfloat16', 'float32', bytesOf(Uint16Array.of(0x3fc0, 0xff80)), [1.5, Number.NEGATIVE_INFINITY]],
  ['int64', 'int64', bytesOf(BigInt64Array.of(-5n, 6n)), [-5, 6]],
  ['int32', 'int32', bytesOf(Int32Array.of(-(2 ** 31), 7)), [-(2 ** 31), 7]],
  ['int16', 'int32', bytesOf(Int16Array.of(-32768, 7)), [-32768, 7]],
  ['int8', 'int32', bytesOf(Int8Array.of(-128, 7)), [-128, 7]],
  ['uint8', 'uint8', bytesOf(Uint8Array.of(255, 7)), [255, 7]],
  ['uint16', 'int32', bytesOf(Uint16Array.of(65535, 7)), [65535, 7]],
  ['uint32', 'int64', bytesOf(Uint32Array.of(2 ** 32 - 1, 7)), [2 ** 32 - 1, 7]],
  ['bool', 'bool', bytesOf(Uint8Array.of(1, 0)), [1, 0]],
];

it.each(CASES)('%s becomes %s', async (dtype, wanted, bytes, numbers) => {
  // Every place that a file can put them at: a Buffer at each distance from an aligned one.
  for (let shift = 0; shift <= 8; shift++) {
    const room = Buffer.from(new ArrayBuffer(bytes.length + shift));
    bytes.copy(room, shift);
    const loaded = await loadTensor(named(dtype, [1, 2], room.subarray(shift)));
    expect([loaded.dtype, loaded.shape, numbersOf(loaded)]).toEqual([wanted, [1, 2], numbers]);
  }
});

it('uint64 is refused, because no graph holds it', async () => {
  await expect(loadTensor(named('uint64', [1], Buffer.alloc(8)))).rejects.toMatchObject({
    kind: 'unsupported-dtype',
    where: 't',
  });
});
