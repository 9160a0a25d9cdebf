import { describe, expect, it } from 'vitest';
import type { PixelDescription } from './description.js';
import { storeSamples } from './samples.js';

describe('bits above the stored ones', () => {
  const description = { kind: 'integer', bitsAllocated: 16, pixelRepresentation: 0 } as PixelDescription;

  it('are cleared in 16-bit unsigned samples, wherever source and target begin and however many there are', () => {
    for (const count of [0, 1, 2, 3, 8, 9])
      for (const from of [0, 1, 2, 3])
        for (const offset of [0, 1, 2, 3])
          for (const bits of [1, 10, 12, 15]) {
            const stored = Array.from({ length: count }, (_, n) => (n * 40_503 + 61_441) & 0xffff);
            const bytes = Buffer.alloc(from + 2 * count);
            stored.forEach((value, n) => {
              bytes.writeUInt16LE(value, from + 2 * n);
            });
            const target = new Uint16Array(16).fill(0xabcd);
            storeSamples(description, bytes.subarray(from), bits, bits - 1, target, offset);
            const expected = new Array(16).fill(0xabcd);
            stored.forEach((value, n) => {
              expected[offset + n] = value & ((1 << bits) - 1);
            });
            expect([...target]).toEqual(expected);
          }
  });
});
