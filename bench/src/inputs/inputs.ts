/** Where the inputs of the benches lie, and how large they are. They are made once, by make-inputs.ts in its own process. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Size3, Vector3 } from '@isocenter/volume';
import { benchFolder } from '../peers.js';

export interface Inputs {
  readonly folder: string;
  /** CT slices: folder and zip. */
  readonly ct: string;
  readonly zip: string;
  /** The same voxels in HU, int16 [z][y][x]. */
  readonly hu: string;
  /** 20 structures on the CT's grid, uint8 [z][y][x]. */
  readonly labels: string;
  readonly rtstruct: string;
  /** Soft tissue of the CT: one large component and very many small ones. */
  readonly mask: string;
  /** MR voxels for the network, int16 [z][y][x]. */
  readonly mr: string;
  /** Bundle folder; absent without the pretrained network. */
  readonly bundle?: string;
  readonly size: Size3;
  /** mm along x, y, z. */
  readonly spacing: Vector3;
  readonly mrSize: Size3;
  readonly window: number;
}

/** Part of the stamp: raise it when inputs are made in another way. */
const VERSION = 1;
const network = join(
  process.env.ISOCENTER_SHARED_DATA ?? join(benchFolder, '../../shared/data'),
  'models-meshnet/onnx/model5_gw_ae.onnx',
);

export function inputsOf(tiny: boolean): Inputs & { readonly network?: string; readonly stamp: string } {
  const folder = join(benchFolder, '.work', tiny ? 'tiny' : 'full');
  const at = (name: string) => join(folder, name);
  const hasNetwork = existsSync(network);
  return {
    folder,
    ct: at('ct'),
    zip: at('ct.zip'),
    hu: at('hu.npy'),
    labels: at('labels.npy'),
    rtstruct: at('structures.dcm'),
    mask: at('mask.npy'),
    mr: at('mr.npy'),
    ...(hasNetwork ? { bundle: at('bundle'), network } : {}),
    size: tiny ? [80, 80, 16] : [512, 512, 200],
    spacing: tiny ? [4.5, 4.5, 20] : [0.9, 0.9, 2],
    mrSize: tiny ? [40, 40, 40] : [256, 256, 256],
    window: tiny ? 32 : 96,
    stamp: `inputs ${VERSION}, network ${hasNetwork}`,
  };
}

export const stampFile = (inputs: Inputs): string => join(inputs.folder, 'stamp');

/** Makes what is not there yet. In a process of its own, so that its memory is not that of the bench. Throws Error. */
export function makeInputs(tiny: boolean): Inputs {
  const inputs = inputsOf(tiny);
  const stamp = stampFile(inputs);
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== inputs.stamp) {
    const script = fileURLToPath(new URL('make-inputs.js', import.meta.url));
    const { status } = spawnSync(process.execPath, [script, ...(tiny ? ['--tiny'] : [])], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${script} ended with ${status}`);
  }
  return inputs;
}
