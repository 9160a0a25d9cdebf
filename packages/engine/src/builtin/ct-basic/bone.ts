/**
 * Bone at full resolution: bright voxels in parts that are large and dense enough (calcium, contrast and catheters are
 * not), with the marrow inside taken in where it is brighter than the spinal canal.
 */
import { closeMask, findRuns, type Size3, spacingOf, type Volume } from '@isocenter/volume';
import { fillPlaneHoles } from './fill-plane-holes.js';

const BONE_HU = 200;
const CORTEX_HU = 450;
/** Bones have a dense shell; a vessel full of contrast has not. */
const CORTEX_SHARE = 0.04;
const LEAST_MM3 = 400;
/** Marrow of old people is about 80 to 150 HU, the spinal canal below 50. */
const MARROW_HU = 75;
const MARROW_MM2 = 2500;
/** Gaps in a shell of old, thin bone are narrower than twice this. */
const CLOSE_MM = 3;

/** 1 where bone is, within `body` (1 inside). */
export function boneMask(volume: Volume, body: Uint8Array): Uint8Array {
  const { data, size } = volume;
  const spacing = spacingOf(volume.affine);
  const mask = new Uint8Array(data.length);
  for (let n = 0; n < data.length; n++) mask[n] = body[n] && data[n] > BONE_HU ? 1 : 0;
  keepBones(mask, data, size, LEAST_MM3 / (spacing[0] * spacing[1] * spacing[2]));
  const steps = Math.max(1, Math.round(CLOSE_MM / Math.max(spacing[0], spacing[1])));
  closeMask(mask, size, 4, steps, mask);
  const most = MARROW_MM2 / (spacing[0] * spacing[1]);
  fillPlaneHoles(mask, size, 1, ({ voxels, mean }) => voxels <= most && mean > MARROW_HU, data);
  return mask;
}

function keepBones(mask: Uint8Array, data: Volume['data'], size: Size3, leastVoxels: number): void {
  const runs = findRuns(mask, size, 26);
  const dense = new Float64Array(runs.count + 1);
  for (let r = 0; r < runs.length; r++) {
    const base = runs.row[r] * size[0];
    for (let i = runs.start[r]; i < runs.end[r]; i++) if (data[base + i] > CORTEX_HU) dense[runs.component[r]]++;
  }
  for (let r = 0; r < runs.length; r++) {
    const c = runs.component[r];
    if (runs.sizes[c] >= leastVoxels && dense[c] >= CORTEX_SHARE * runs.sizes[c]) continue;
    mask.fill(0, runs.row[r] * size[0] + runs.start[r], runs.row[r] * size[0] + runs.end[r]);
  }
}
