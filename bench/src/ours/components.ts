/** Connected components (6 neighbours) of a mask. Arguments: mask.npy, repeats. */
import { readFileSync } from 'node:fs';
import { readNpy } from '@isocenter/formats';
import { connectedComponents } from '@isocenter/volume';
import { measured } from './measured.js';

const [path, repeats] = process.argv.slice(2);
const { data, shape } = readNpy(readFileSync(path));
const mask = data as Uint8Array;

await measured(() => connectedComponents(mask, [shape[2], shape[1], shape[0]], 6), {
  repeats: Number(repeats),
  check: ({ count }) => count,
});
