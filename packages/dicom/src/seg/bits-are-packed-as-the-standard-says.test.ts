/** The word-wise bit packing does what the plain rule of PS3.5 8.1.1 says, for every alignment and ragged border. */
import { expect, it } from 'vitest';
import { bitsFrom, bitsMeet, packEqual, paintBits } from './bits.js';

/** Numbers that look random and are the same at each run. */
function* sequence(seed: number): Generator<number> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

it('packs the pixels of one label like a loop over bits', () => {
  const random = sequence(1);
  const next = (n: number): number => Math.floor((random.next().value as number) * n);
  for (let round = 0; round < 400; round++) {
    const wide = round % 3 === 0;
    const length = 64 + next(200);
    const labels = wide ? new Uint16Array(length) : new Uint8Array(length + 8).subarray(next(4), length);
    for (let n = 0; n < labels.length; n++) labels[n] = next(2) * next(wide ? 3 : 4) * (next(9) === 0 ? 85 : 1);
    const from = next(16);
    const count = next(labels.length - from);
    const bit = next(20);
    const label = [1, 2, 3, 85, 255][next(5)];
    const out = new Uint8Array(64);
    packEqual(labels, from, count, label, out, bit);
    const slow = new Uint8Array(64);
    for (let n = 0; n < count; n++) if (labels[from + n] === label) slow[(bit + n) >> 3] |= 1 << ((bit + n) & 7);
    expect(Buffer.compare(out, slow)).toBe(0);
  }
});

it('paints and tests set bits like a loop over bits', () => {
  const random = sequence(2);
  const next = (n: number): number => Math.floor((random.next().value as number) * n);
  for (let round = 0; round < 400; round++) {
    const bits = new Uint8Array(48).subarray(next(4), 44);
    for (let n = 0; n < bits.length; n++) bits[n] = [0, 0, 0, 255, next(256)][next(5)];
    // Every other round whole bytes of bits fall on whole words of labels, which has a way of its own.
    const step = round % 2 === 0 ? 1 : 8;
    const bit = step * next(24 / step);
    const count = step * next((bits.length * 8 - bit) / step);
    const at = Math.ceil(step / 2) * next(9);
    const target = round % 7 === 0 ? new Uint16Array(400) : new Uint8Array(400);
    for (let n = 0; n < target.length; n++) target[n] = next(40) === 0 ? 9 : 0;
    const slow = target.slice();
    let meets = false;
    for (let n = 0; n < count; n++)
      if (((bits[(bit + n) >> 3] >> ((bit + n) & 7)) & 1) === 1) {
        meets ||= slow[at + n] !== 0;
        slow[at + n] = 7;
      }
    expect(bitsMeet(bits, bit, count, target, at)).toBe(meets);
    paintBits(bits, bit, count, target, at, 7);
    expect(target).toEqual(slow);
  }
});

it('finds bits beyond 2^31', () => {
  const far = { subarray: (byte: number) => byte } as unknown as Uint8Array;
  expect(bitsFrom(far, 2 ** 33 + 13)).toEqual([2 ** 30 + 1, 5]);
});
