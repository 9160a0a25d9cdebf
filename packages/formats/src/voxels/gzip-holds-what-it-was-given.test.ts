/** Runs of zeros are set apart and their pieces used again: no length, place or neighbour of a run may change a byte. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gzipParts } from './gzip-parts.js';

const GRANULE = 4096;
const MEGABYTE = 2 ** 20;

/** `length` zeros with 7s at the given places. */
function marked(length: number, ...places: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const place of places) bytes[place] = 7;
  return bytes;
}

describe('gzip of all cores', () => {
  const run = 16 * GRANULE;
  it.each([
    ['nothing', []],
    ['one empty part', [marked(0)]],
    ['one zero', [marked(1)]],
    ['a run one byte short', [marked(run - 1)]],
    ['a run', [marked(run)]],
    ['a run and a byte', [marked(run + 1)]],
    ['a run before the last voxel', [marked(run + 1, run)]],
    ['a run behind the first voxel', [marked(run + 2 * GRANULE, 0)]],
    ['runs of one length between voxels', [marked(6 * run, run, 3 * run + 5, 5 * run + 9)]],
    ['a run beyond the largest block', [marked(9 * MEGABYTE + 3, 9 * MEGABYTE + 1)]],
    ['several parts', [marked(2 * run), marked(2 * run, 1), marked(0), marked(2 * run)]],
    ['no zero at all', [new Uint8Array(2 * run).fill(255)]],
    ['a part inside of a larger buffer', [marked(3 * run, 10).subarray(11, 2 * run + 11)]],
  ] as const)('gives back %s', async (_, parts) => {
    const packed = await gzipParts(parts);
    expect(gunzipSync(packed).equals(Buffer.concat(parts))).toBe(true);
  });

  it('gives the same bytes for the same content', async () => {
    const content = marked(5 * MEGABYTE, 4_000_000, 70_000);
    expect(await gzipParts([content])).toEqual(await gzipParts([Uint8Array.from(content)]));
  });

  it('packs a mask of small islands no worse than the usual gzip', async () => {
    const mask = new Uint8Array(64 * 512 * 512);
    for (let k = 20; k < 40; k++)
      for (let j = 200; j < 260; j++) mask.fill(1, (k * 512 + j) * 512 + 200, (k * 512 + j) * 512 + 260);
    const packed = await gzipParts([mask]);
    expect(packed.length).toBeLessThan(gzipSync(mask, { level: 1 }).length);
  });
});
