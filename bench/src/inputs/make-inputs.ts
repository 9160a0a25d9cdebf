/** Makes the inputs of the benches, all synthetic and the same bytes each time. Argument: --tiny for the small set. */
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { uidFrom, writeRtstruct } from '@isocenter/dicom';
import { drawPhantom, makePhantom } from '@isocenter/engine';
import { writeNpy, zipStream } from '@isocenter/formats';
import type { Size3, VoxelArray } from '@isocenter/volume';
import { provenance, referenceOf, segmentationOf } from '../ours/series.js';
import { ellipsoids } from './ellipsoids.js';
import { inputsOf, stampFile } from './inputs.js';
import { writeNetworkBundle } from './network-bundle.js';

const inputs = inputsOf(process.argv.includes('--tiny'));
/** HU of soft tissue: noise makes thousands of small components beside the large one. */
const SOFT_TISSUE = [20, 150] as const;
const DAY = new Date(2026, 0, 1);

function save(path: string, data: VoxelArray, [ni, nj, nk]: Size3): void {
  writeFileSync(path, writeNpy(data, [nk, nj, ni]));
}

const { size, spacing } = inputs;
console.log(`Making ${inputs.folder} (once): a CT of ${size.join(' × ')} voxels and what belongs to it …`);
rmSync(inputs.folder, { recursive: true, force: true });
mkdirSync(inputs.ct, { recursive: true });

const ct = await makePhantom({ kind: 'thorax', size, spacing });
for (const { name, bytes } of ct.files) writeFileSync(join(inputs.ct, name), bytes);
await pipeline(zipStream(ct.files), createWriteStream(inputs.zip));
save(inputs.hu, ct.volume.data, size);
const [low, high] = SOFT_TISSUE;
save(
  inputs.mask,
  Uint8Array.from(ct.volume.data, (hu) => (hu >= low && hu <= high ? 1 : 0)),
  size,
);
save(inputs.labels, ellipsoids(size), size);

const reference = await referenceOf(inputs.ct);
let uids = 0;
writeFileSync(
  inputs.rtstruct,
  writeRtstruct(segmentationOf(inputs.labels, reference.grid), reference, {
    provenance,
    holes: 'keyhole',
    now: DAY,
    uid: () => uidFrom(`isocenter bench ${uids++}`),
  }),
);

const spacingMr = 256 / inputs.mrSize[0];
const mr = drawPhantom({ kind: 'head', size: inputs.mrSize, spacing: [spacingMr, spacingMr, spacingMr] });
save(inputs.mr, mr.volume.data, inputs.mrSize);
if (inputs.bundle && inputs.network) writeNetworkBundle(inputs.bundle, inputs.network, inputs.window);
writeFileSync(stampFile(inputs), inputs.stamp);
