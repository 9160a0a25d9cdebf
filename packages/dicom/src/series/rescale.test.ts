/** Promise: the fast paths of rescaling give what the plain formula gives, and overflow of 16 bits never passes unseen. */
import { describe, expect, it } from 'vitest';
import { Dataset } from '../dataset/dataset.js';
import { paddingOf, rescaleInto } from './rescale.js';

/** All 65,536 stored values, in the place of the result. */
function inPlace(from: number, to: number) {
  const stored = new Uint16Array(to - from).map((_, n) => from + n);
  return { stored, out: new Int16Array(stored.buffer) };
}

describe('unsigned 16 bits rescaled in place', () => {
  it.each([-1024, -1, -32768, 0, -1000])('slope 1, intercept %i: every value that fits is exact', (intercept) => {
    const end = Math.min(65536, 32768 - intercept);
    const { stored, out } = inPlace(0, end - (end % 2));
    expect(rescaleInto(stored, out, { slope: 1, intercept })).toBe(true);
    expect(out.every((value, n) => value === n + intercept)).toBe(true);
  });

  it('the first value that does not fit is an overflow', () => {
    const fits = inPlace(33790, 33792);
    expect(rescaleInto(fits.stored, fits.out, { slope: 1, intercept: -1024 })).toBe(true);
    expect([...fits.out]).toEqual([32766, 32767]);
    const over = inPlace(33791, 33793);
    expect(rescaleInto(over.stored, over.out, { slope: 1, intercept: -1024 })).toBe(false);
    const top = inPlace(65534, 65536);
    expect(rescaleInto(top.stored, top.out, { slope: 1, intercept: -1024 })).toBe(false);
  });

  it('an odd number of pixels takes the plain path', () => {
    const { stored, out } = inPlace(100, 103);
    expect(rescaleInto(stored, out, { slope: 1, intercept: -1024 })).toBe(true);
    expect([...out]).toEqual([-924, -923, -922]);
  });
});

describe('other types', () => {
  it('signed values, slope 2: exact, and overflow seen at both ends', () => {
    const rescale = (values: number[]) => {
      const stored = Int16Array.from(values);
      return { ok: rescaleInto(stored, stored, { slope: 2, intercept: 1 }), out: [...stored] };
    };
    expect(rescale([-3, 0, 16383])).toEqual({ ok: true, out: [-5, 1, 32767] });
    expect(rescale([16384]).ok).toBe(false);
    expect(rescale([-16385]).ok).toBe(false);
  });

  it('fractions become floats', () => {
    const out = new Float32Array(2);
    rescaleInto(Int16Array.of(-7, 9), out, { slope: 0.5, intercept: 0.25 });
    expect([...out]).toEqual([-3.25, 4.75]);
  });
});

describe('padding', () => {
  it('is replaced before rescaling, also when its VR contradicts the sign of the pixels', () => {
    const header = new Dataset().set('PixelPaddingValue', 63536, 'US');
    const padding = paddingOf(header, 16, true, -1000);
    expect(padding).toEqual({ low: -2000, high: -2000, value: -1000 });
    const values = Int16Array.of(-2000, -1999, 30);
    rescaleInto(values, values, { slope: 1, intercept: -24 }, padding);
    expect([...values]).toEqual([-1000, -2023, 6]);
  });

  it('may be a range', () => {
    const header = new Dataset().set('PixelPaddingValue', 5, 'US').set('PixelPaddingRangeLimit', 2, 'US');
    expect(paddingOf(header, 16, false, 0)).toEqual({ low: 2, high: 5, value: 0 });
    expect(paddingOf(new Dataset(), 16, false, 0)).toBeUndefined();
  });
});
