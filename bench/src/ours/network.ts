/**
 * An ONNX network over a volume in sliding windows, the whole run as users get it: forked compute child, exchange of the
 * volume and of the answer included. Arguments: bundle folder, volume.npy (int16 [z][y][x]). Peak: this process and the child.
 */
import { readFileSync } from 'node:fs';
import { type ChildResult, loadBundle, runBundleInChild } from '@isocenter/engine';
import { readNpy } from '@isocenter/formats';
import { IDENTITY_AFFINE, makeVolume } from '@isocenter/volume';
import { measured } from './measured.js';

const [folder, path] = process.argv.slice(2);
const { data, shape } = readNpy(readFileSync(path));
const volume = makeVolume(data, [shape[2], shape[1], shape[0]], IDENTITY_AFFINE);
const bundle = await loadBundle(folder);

await measured<ChildResult>(() => runBundleInChild(bundle, { channels: [{ name: 'image', volume }] }), {
  childrenBytes: (result) => result.peakMemoryBytes,
  check({ prediction }) {
    if (prediction.kind !== 'segmentation') throw new Error('the network gave no segmentation');
    const counts = [0, 0, 0];
    for (const label of prediction.segmentation.layers[0].data) counts[label]++;
    return counts;
  },
});
