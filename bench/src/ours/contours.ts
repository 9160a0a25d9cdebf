/** Contours alone: trace every structure of a label map in every slice, and fill them again. Arguments: labels.npy, repeats. */
import { readFileSync } from 'node:fs';
import { readNpy } from '@isocenter/formats';
import { fillLabel, IDENTITY_AFFINE, makeVolume, traceLabelMap } from '@isocenter/volume';
import { measured } from './measured.js';

const [path, repeats] = process.argv.slice(2);
const { data, shape } = readNpy(readFileSync(path));
const size = [shape[2], shape[1], shape[0]] as const;
const map = makeVolume(data as Uint8Array, size, IDENTITY_AFFINE);

await measured(
  () => {
    const back = makeVolume(new Uint8Array(map.data.length), size, IDENTITY_AFFINE);
    for (const contours of traceLabelMap(map)) fillLabel(back, contours);
    return back.data;
  },
  {
    repeats: Number(repeats),
    check(back) {
      let wrong = 0;
      for (let n = 0; n < back.length; n++) if (back[n] !== map.data[n]) wrong++;
      return { wrong };
    },
  },
);
