/** The pixels of a secondary capture are those of the picture; pictures that do not fit each other are refused. */
import { affineFrom } from '@isocenter/volume';
import { expect, it } from 'vitest';
import {
  countedUIDs,
  orientations,
  paperReference,
  testNow,
  testProvenance,
} from '../../../../tools/test/dicom-objects.js';
import { parseDicom } from '../dataset/parse.js';
import { decodeFrames } from '../pixel/decode.js';
import { type Picture, writeSecondaryCapture } from './write.js';

const reference = paperReference([4, 4, 2], affineFrom(orientations.axial, [1, 1, 1], [0, 0, 0]));
const options = () => ({ provenance: testProvenance, now: testNow, uid: countedUIDs() });
const picture = (channels: 1 | 3, seed: number): Picture => ({
  width: 5,
  height: 3,
  channels,
  data: Uint8Array.from({ length: 15 * channels }, (_, n) => (n * 37 + seed) % 256),
});

it.each([
  ['grey', [picture(1, 0)]],
  ['colour', [picture(3, 1)]],
  ['grey frames', [picture(1, 2), picture(1, 3)]],
  ['colour frames', [picture(3, 4), picture(3, 5), picture(3, 6)]],
] as const)('%s', async (_, pictures) => {
  const frames = await decodeFrames(parseDicom(writeSecondaryCapture(pictures, reference, options())));
  expect([frames.columns, frames.rows, frames.frames]).toEqual([5, 3, pictures.length]);
  expect([...frames.data]).toEqual(pictures.flatMap(({ data }) => [...data]));
});

it('refuses none, pictures of two sizes, and data that does not fill them', () => {
  const inconsistent = expect.objectContaining({ kind: 'inconsistent' });
  const write = (pictures: Picture[]) => () => writeSecondaryCapture(pictures, reference, options());
  expect(write([])).toThrowError(inconsistent);
  expect(write([picture(1, 0), picture(3, 0)])).toThrowError(inconsistent);
  expect(write([{ ...picture(1, 0), width: 6 }])).toThrowError(inconsistent);
});
