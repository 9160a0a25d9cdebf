/** Linear resampling of a CT volume to 1.5 mm isotropic, float32 out. Arguments: ct.npy, spacing along z, y, x, repeats. */
import { readFileSync } from 'node:fs';
import { readNpy } from '@isocenter/formats';
import { makeVolume, resample, spacingGrid } from '@isocenter/volume';
import { measured } from './measured.js';

const [path, dz, dy, dx, repeats] = process.argv.slice(2);
const TARGET_MM = 1.5;
const { data, shape } = readNpy(readFileSync(path));
const affine = [Number(dx), 0, 0, 0, 0, Number(dy), 0, 0, 0, 0, Number(dz), 0, 0, 0, 0, 1];
const volume = makeVolume(data, [shape[2], shape[1], shape[0]], affine);

await measured(() => resample(volume, spacingGrid(volume, [TARGET_MM])), {
  repeats: Number(repeats),
  /** The mean without the last plane of each axis, which may lie outside of the input: every tool fills it otherwise. */
  check({ data, size: [ni, nj, nk] }) {
    let sum = 0;
    for (let k = 0; k < nk - 1; k++)
      for (let j = 0; j < nj - 1; j++) for (let i = 0; i < ni - 1; i++) sum += data[(k * nj + j) * ni + i];
    return { size: [ni, nj, nk], mean: sum / ((ni - 1) * (nj - 1) * (nk - 1)) };
  },
});
