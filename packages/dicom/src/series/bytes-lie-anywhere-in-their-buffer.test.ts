/** Promise: a file that begins at an odd byte of a Buffer (stored in a zip, in a network message) gives the same voxels. */
import { describe, expect, it } from 'vitest';
import { assembleSeries } from './assemble.js';
import { loadVolume } from './load.js';
import { scanSources } from './scan.js';
import { source, syntheticFiles } from './synthetic.suite.js';

/** The same bytes as a Buffer that begins `offset` bytes into a larger one. */
function shifted(bytes: Uint8Array, offset: number): Buffer {
  const whole = Buffer.alloc(bytes.length + offset);
  whole.set(bytes, offset);
  return whole.subarray(offset);
}

describe('files at any offset of their buffer', () => {
  for (const [form, bitsStored, signed] of [
    ['12 of 16 bits', 12, 0],
    ['all 16 bits', 16, 0],
    ['signed 13 bits', 13, 1],
  ] as const)
    it(`${form}: the same voxels`, async () => {
      const files = syntheticFiles({
        edit: (dataset) =>
          dataset
            .set('BitsStored', bitsStored)
            .set('HighBit', bitsStored - 1)
            .set('PixelRepresentation', signed),
      });
      const load = async (offset: number) => {
        const scan = await scanSources(files.map((bytes, k) => source(`${k}`, shifted(bytes, offset))));
        return (await loadVolume(assembleSeries(scan.series[0]))).volume;
      };
      const aligned = await load(0);
      for (const offset of [1, 2, 3, 5, 7]) expect(await load(offset)).toEqual(aligned);
    });
});
