/** Promise: whatever the orientation and the order of files, voxel (i, j, k) shows what is at affine · (i, j, k). */
import { directionsOf, dot, indexToPatient, type Vector3 } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { assembleSeries } from './assemble.js';
import { loadVolume } from './load.js';
import { scanSources } from './scan.js';
import type { InstanceSource } from './source.js';
import { positionsAlong, type SyntheticOptions, syntheticSeries, valueAt } from './synthetic.suite.js';

async function loadOnly(sources: readonly InstanceSource[]) {
  const scan = await scanSources(sources);
  expect(scan.refused).toEqual([]);
  expect(scan.series).toHaveLength(1);
  return loadVolume(assembleSeries(scan.series[0]));
}

const c = Math.cos(0.3);
const s = Math.sin(0.3);
const cases: readonly (readonly [string, SyntheticOptions, readonly [string, number]])[] = [
  ['axial', {}, ['z', 1]],
  ['axial, head first in files', { positions: positionsAlong([-10, 20, 30], [0, 0, -2.5], 6) }, ['z', 1]],
  ['flipped in both directions', { rowDirection: [-1, 0, 0], columnDirection: [0, -1, 0] }, ['z', 1]],
  ['flipped in one direction', { rowDirection: [-1, 0, 0], columnDirection: [0, 1, 0] }, ['z', -1]],
  [
    'sagittal',
    { rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], positions: positionsAlong([9, -8, 7], [3, 0, 0], 5) },
    ['x', -1],
  ],
  [
    'coronal',
    { rowDirection: [1, 0, 0], columnDirection: [0, 0, -1], positions: positionsAlong([9, -8, 7], [0, -3, 0], 5) },
    ['y', 1],
  ],
  [
    'oblique',
    {
      rowDirection: [1, 0, 0],
      columnDirection: [0, c, -s],
      positions: positionsAlong([1, 2, 3], [0, 4 * s, 4 * c], 5),
    },
    ['z', 1],
  ],
  [
    'double oblique',
    {
      rowDirection: [c, s, 0],
      columnDirection: [-s * c, c * c, s],
      positions: positionsAlong([1, 2, 3], [3 * s * s, -3 * s * c, 3 * c], 5),
    },
    ['z', 1],
  ],
  ['tilted gantry', { columnDirection: [0, c, -s], positions: positionsAlong([1, 2, 3], [0, 0, 5], 5) }, ['z', 1]],
];

describe('every voxel lies where the headers say', () => {
  it.each(cases)('%s', async (_, options, [axis, sign]) => {
    const { volume, units } = await loadOnly(syntheticSeries(options));
    expect(units).toBe('HU');
    expect(volume.data).toBeInstanceOf(Int16Array);
    const [ni, nj, nk] = volume.size;
    expect([ni, nj]).toEqual([7, 5]);
    let worst = 0;
    for (let k = 0; k < nk; k++)
      for (let j = 0; j < nj; j++)
        for (let i = 0; i < ni; i++) {
          const place = indexToPatient(volume.affine, i, j, k);
          worst = Math.max(worst, Math.abs(volume.data[i + ni * (j + nj * k)] - valueAt(place)));
        }
    // Rounding may fall on either side where a position ends on half a unit in decimal text.
    expect(worst).toBeLessThanOrEqual(1);
    const normal: Vector3 = directionsOf(volume.affine)[2];
    expect(Math.sign(normal['xyz'.indexOf(axis)])).toBe(sign);
  });

  it('slices ascend along row × column, so the affine is right-handed', async () => {
    for (const [, options] of cases) {
      const { volume } = await loadOnly(syntheticSeries(options));
      const [i, j, k] = directionsOf(volume.affine);
      const normal: Vector3 = [i[1] * j[2] - i[2] * j[1], i[2] * j[0] - i[0] * j[2], i[0] * j[1] - i[1] * j[0]];
      expect(dot(normal, k)).toBeGreaterThan(0);
    }
  });
});

describe('order and names of files do not matter', () => {
  it('gives bit-equal volumes and references for any order and any names', async () => {
    const sources = syntheticSeries({ slices: 9 });
    const first = await loadOnly(sources);
    for (const order of [
      [8, 7, 6, 5, 4, 3, 2, 1, 0],
      [4, 0, 8, 2, 6, 1, 7, 3, 5],
    ]) {
      const again = await loadOnly(order.map((k, n) => ({ ...sources[k], name: `renamed/${order[n] * 7}` })));
      expect(again.volume).toEqual(first.volume);
      expect(again.reference.slices).toEqual(first.reference.slices);
      expect(again.findings).toEqual(first.findings);
    }
  });

  it('ignores InstanceNumber, which runs against the positions here', async () => {
    const { reference, volume } = await loadOnly(syntheticSeries());
    expect(reference.header.number('InstanceNumber')).toBe(6);
    expect(volume.affine[11]).toBe(-30);
  });

  it('takes the slice distance from positions, not from Slice Thickness', async () => {
    const { volume } = await loadOnly(syntheticSeries());
    expect(volume.affine[10]).toBe(2.5);
  });
});

describe('a tilted gantry is kept as a sheared affine', () => {
  it('and reported with its angle', async () => {
    const options = cases.find(([name]) => name === 'tilted gantry')?.[1] ?? {};
    const { volume, findings } = await loadOnly(syntheticSeries(options));
    expect(volume.affine.slice(0, 12).filter((_, n) => n % 4 === 2)).toEqual([0, 0, 5]);
    const tilt = findings.find((finding) => finding.kind === 'gantry-tilt');
    expect(tilt?.message).toContain(`${((0.3 * 180) / Math.PI).toFixed(1)}°`);
  });
});
