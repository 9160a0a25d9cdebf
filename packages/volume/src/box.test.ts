/** Boxes hold what they should, and cutting and pasting moves no voxel in the patient. */
import { describe, expect, it } from 'vitest';
import {
  boundingBox,
  centerCropStart,
  cropVolume,
  cutBox,
  growBox,
  joinBoxes,
  labelBoxes,
  padVolume,
  pasteBox,
  symmetricPad,
} from './box.js';
import { GeometryError, indexToPatient, type Size3 } from './geometry.js';
import { randomMask, randomVolume } from './test-volumes.suite.js';

const size: Size3 = [19, 9, 8];

/** Slow twin: looks at every voxel. */
function slowBox(data: ArrayLike<number>, inside: (v: number) => boolean) {
  const low = [...size];
  const high = [0, 0, 0];
  for (let n = 0; n < data.length; n++)
    if (inside(data[n]))
      [n % size[0], Math.floor(n / size[0]) % size[1], Math.floor(n / size[0] / size[1])].forEach((x, a) => {
        low[a] = Math.min(low[a], x);
        high[a] = Math.max(high[a], x + 1);
      });
  return high[0] > 0 ? { low, high } : undefined;
}

describe('bounding boxes', () => {
  it('are the smallest that hold every voxel that is not 0, in 8 and 16 bits', () => {
    for (let seed = 1; seed < 60; seed++) {
      const mask = randomMask(size, seed / 5000, seed);
      expect(boundingBox(mask, size)).toEqual(slowBox(mask, (v) => v !== 0));
      expect(
        boundingBox(
          Uint16Array.from(mask, (v) => v * 256),
          size,
        ),
      ).toEqual(slowBox(mask, (v) => v !== 0));
    }
  });

  it('of all labels come from one pass', () => {
    const labels = randomMask(size, 0.01, 3).map((v, n) => v * (1 + (n % 4)));
    const boxes = labelBoxes(labels, size);
    for (let label = 1; label < 6; label++) expect(boxes.get(label)).toEqual(slowBox(labels, (v) => v === label));
    expect([...labelBoxes(Uint16Array.of(0, 900, 7), [3, 1, 1]).keys()]).toEqual([7, 900]);
  });

  it('grow inside the grid and join', () => {
    const box = { low: [1, 2, 3], high: [2, 4, 8] } as const;
    expect(growBox(box, 2, size)).toEqual({ low: [0, 0, 1], high: [4, 6, 8] });
    expect(joinBoxes(box, { low: [0, 3, 4], high: [1, 9, 5] })).toEqual({ low: [0, 2, 3], high: [2, 9, 8] });
    expect(joinBoxes(undefined, box)).toBe(box);
  });
});

describe('cutting and padding', () => {
  const volume = randomVolume([5, 4, 3], 2, [0.5, 2, 3]);

  it('keeps values and places, and fills past the border', () => {
    const box = { low: [-1, 1, -2], high: [4, 6, 2] } as const;
    const part = cropVolume(volume, box, -7);
    expect(part.size).toEqual([5, 5, 4]);
    for (let k = 0; k < 4; k++)
      for (let j = 0; j < 5; j++)
        for (let i = 0; i < 5; i++) {
          const [x, y, z] = [i - 1, j + 1, k - 2];
          const inside = x >= 0 && y < 4 && z >= 0;
          expect(part.data[i + 5 * (j + 5 * k)]).toBe(inside ? volume.data[x + 5 * (y + 4 * z)] : -7);
        }
    expect(indexToPatient(part.affine, 0, 0, 0)).toEqual(indexToPatient(volume.affine, -1, 1, -2));
  });

  it('is undone by the opposite', () => {
    const padded = padVolume(volume, [1, 2, 3], [4, 0, 1]);
    expect(padded.size).toEqual([10, 6, 7]);
    expect(cropVolume(padded, { low: [1, 2, 3], high: [6, 6, 6] })).toEqual(volume);
    const box = { low: [1, 0, 1], high: [3, 4, 3] } as const;
    const empty = new Float32Array(60);
    pasteBox(cutBox(volume.data, volume.size, box), box, empty, volume.size);
    expect(cutBox(empty, volume.size, box)).toEqual(cutBox(volume.data, volume.size, box));
  });

  it('refuses a box without voxels', () => {
    expect(() => cropVolume(volume, { low: [1, 1, 1], high: [1, 2, 2] })).toThrow(GeometryError);
  });

  it('centres crops and pads as MONAI does', () => {
    expect([centerCropStart(10, 4), centerCropStart(9, 4), centerCropStart(10, 5), centerCropStart(3, 8)]).toEqual([
      3, 2, 3, 0,
    ]);
    expect([symmetricPad(5, 8), symmetricPad(8, 5)]).toEqual([
      [1, 2],
      [0, 0],
    ]);
  });
});
