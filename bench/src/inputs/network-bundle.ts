/** A bundle around the pretrained network of ../shared/data/models-meshnet: sliding windows, Gaussian, overlap 0.5, arg-max. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Three classes; the names are of no matter to the bench. */
const STRUCTURES = [
  { label: 1, name: 'white matter', colour: [240, 240, 240] },
  { label: 2, name: 'grey matter', colour: [120, 120, 120] },
];

export function writeNetworkBundle(folder: string, network: string, window: number): void {
  mkdirSync(join(folder, 'configs'), { recursive: true });
  mkdirSync(join(folder, 'models'), { recursive: true });
  copyFileSync(network, join(folder, 'models/model.onnx'));
  const metadata = {
    version: '1',
    isocenter: { name: 'bench', channels: [{ name: 'image' }], structures: STRUCTURES },
  };
  const inference = {
    preprocessing: {
      _target_: 'Compose',
      transforms: [{ _target_: 'ScaleIntensityd', keys: 'image', minv: 0, maxv: 1 }],
    },
    inferer: {
      _target_: 'SlidingWindowInferer',
      roi_size: [window, window, window],
      sw_batch_size: 1,
      overlap: 0.5,
      mode: 'gaussian',
    },
    postprocessing: { _target_: 'Compose', transforms: [{ _target_: 'AsDiscreted', keys: 'pred', argmax: true }] },
  };
  writeFileSync(join(folder, 'configs/metadata.json'), JSON.stringify(metadata));
  writeFileSync(join(folder, 'configs/inference.json'), JSON.stringify(inference));
}
