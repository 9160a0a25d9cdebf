/** Holes are what a flood from the border cannot reach; MONAI's FillHoles finds the same. */
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import type { Size3 } from '../geometry.js';
import { askPython, randomMask } from '../test-volumes.suite.js';
import { fillHoles, fillHolesInPlanes } from './holes.js';

const picture = (rows: string[]): Uint8Array => Uint8Array.from(rows.join(''), (c) => (c === '.' ? 0 : Number(c)));

describe('fillHoles', () => {
  it('fills a closed ring and leaves an open one', () => {
    const data = picture(['.111.', '.1.1.', '.111.', '.....', '11...', '1....']);
    fillHoles(data, [5, 6, 1]);
    expect(data).toEqual(picture(['.111.', '.111.', '.111.', '.....', '11...', '1....']));
  });

  it('lets the flood through a diagonal gap by default and not with 6-neighbours', () => {
    const leaky = ['.11..', '1..1.', '.11..'];
    const data = picture(leaky);
    fillHoles(data, [5, 3, 1]);
    expect(data).toEqual(picture(leaky));
    fillHoles(data, [5, 3, 1], { connectivity: 6 });
    expect(data).toEqual(picture(['.11..', '1111.', '.11..']));
  });

  it('overwrites other labels inside, and only for the labels applied', () => {
    const data = picture(['111', '121', '111']);
    const untouched = data.slice();
    fillHoles(untouched, [3, 3, 1], { labels: [2] });
    expect(untouched).toEqual(data);
    fillHoles(data, [3, 3, 1], { labels: [1] });
    expect(data.every((v) => v === 1)).toBe(true);
  });

  it('sees that a tunnel opens in space though each plane is closed', () => {
    const data = new Uint8Array(27).fill(1);
    for (let k = 0; k < 3; k++) data[13 + (k - 1) * 9] = 0;
    const planes = data.slice();
    fillHoles(data, [3, 3, 3]);
    expect(data[13]).toBe(0);
    fillHolesInPlanes(planes, [3, 3, 3], 2);
    expect(planes.every((v) => v === 1)).toBe(true);
    for (const axis of [0, 1] as const) {
      const along = data.slice();
      fillHolesInPlanes(along, [3, 3, 3], axis);
      expect(along).toEqual(data);
    }
  });

  it('does the same in the planes of each axis as in single slices', () => {
    const size: Size3 = [9, 8, 7];
    const mask = randomMask(size, 0.6, 2);
    for (const axis of [0, 1, 2] as const)
      for (const connectivity of [4, 8] as const) {
        const whole = mask.slice();
        fillHolesInPlanes(whole, size, axis, { connectivity });
        const [u, v] = [0, 1, 2].filter((a) => a !== axis);
        const stride = [1, 9, 72];
        for (let p = 0; p < size[axis]; p++) {
          const at = (x: number, y: number): number => p * stride[axis] + x * stride[u] + y * stride[v];
          const slice = Uint8Array.from(
            { length: size[u] * size[v] },
            (_, n) => mask[at(n % size[u], Math.floor(n / size[u]))],
          );
          fillHoles(slice, [size[u], size[v], 1], { connectivity });
          for (const [n, value] of slice.entries()) expect(whole[at(n % size[u], Math.floor(n / size[u]))]).toBe(value);
        }
      }
  });
});

describeWithPython(['monai', 'numpy'], 'holes beside MONAI FillHoles', (python) => {
  it('are filled alike for label maps, labels in turn', () => {
    const size: Size3 = [12, 11, 10];
    const data = randomMask(size, 0.95, 6).map((v, n) => (v ? (n % size[0] < 6 ? 1 : 2) : 0));
    const script = `
import sys, numpy as np, torch
from monai.transforms import FillHoles
m = torch.from_numpy(np.fromfile(sys.argv[1], np.uint8).reshape(1, 10, 11, 12).astype(np.int16))
np.concatenate([FillHoles(applied_labels=[1, 2], connectivity=c)(m.clone()).numpy().ravel() for c in (1, 3)]).astype(np.uint8).tofile(sys.argv[2])`;
    const theirs = askPython(python, script, [data], Uint8Array);
    for (const [n, connectivity] of ([6, 26] as const).entries()) {
      const ours = data.slice();
      fillHoles(ours, size, { labels: [1, 2], connectivity });
      expect(ours).toEqual(theirs.slice(n * data.length, (n + 1) * data.length));
    }
  });
});
