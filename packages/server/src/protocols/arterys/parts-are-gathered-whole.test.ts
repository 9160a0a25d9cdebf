/** Parts of any size in pieces of any size come out as they went in, each in memory of its own. */
import { expect, it } from 'vitest';
import { PartBuffer } from './part-buffer.js';

it('parts come out as they went in', () => {
  const buffer = new PartBuffer();
  const pattern = (length: number) => Buffer.alloc(length, Buffer.from([1, 2, 3, 5, 7, 11, 13]));
  for (const length of [0, 1, 100, 65_536, 600_000, 4_194_304, 4_194_305, 20_000_000, 3])
    for (const size of [1_000_003, 65_536, 7_000_000]) {
      const part = pattern(length);
      for (let at = 0; at < length; at += size) buffer.add(part.subarray(at, at + size));
      expect(buffer.length).toBe(length);
      const whole = buffer.take();
      expect(whole.equals(part)).toBe(true);
      expect(whole.buffer).not.toBe(part.buffer);
      expect(whole.buffer.byteLength).toBeLessThanOrEqual(Math.ceil(length / (1 - 1 / 8)));
      expect(buffer.length).toBe(0);
    }
});
