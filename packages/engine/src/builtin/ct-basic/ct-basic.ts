/**
 * ct-basic: body, lungs and bone of a CT by thresholds and component rules, without weights. Honest about what it is: no
 * learning, no knowledge of disease; consolidated lung and large tumours stay outside the lung.
 */
import type { Volume, Watch } from '@isocenter/volume';
import { coarseBody } from './body.js';
import { boneMask } from './bone.js';
import { coarseGrid } from './coarse-grid.js';
import { drawBody, drawLungs } from './draw-edges.js';
import { coarseLungs } from './lungs.js';

/** Values in the two label maps: `body` holds BODY alone, `organs` the others, which exclude each other. */
export const CT_BASIC_LABELS = { body: 1, lungLeft: 2, lungRight: 3, bone: 4 } as const;

export interface CtBasicLabels {
  readonly body: Uint8Array;
  readonly organs: Uint8Array;
}

const STEPS = 4;

/**
 * Segments a CT in HU; any size, spacing and orientation. Structures that are not there stay empty. Memory beside the
 * volume: three bytes a voxel, and for the coarse grid at most about twelve bytes a cell (a cell is 2 mm wide or one
 * voxel, whichever is larger). Aborts between its steps.
 */
export function ctBasic(volume: Volume, watch: Watch = {}): CtBasicLabels {
  const step = (done: number, name: string) => {
    watch.signal?.throwIfAborted();
    watch.progress?.(done, STEPS, name);
  };
  step(0, 'body');
  const grid = coarseGrid(volume);
  const outline = coarseBody(grid);
  const organs = new Uint8Array(volume.data.length);
  if (outline.empty) return { body: new Uint8Array(volume.data.length), organs };
  const body = drawBody(volume, grid, outline);
  step(1, 'lungs');
  const lungs = coarseLungs(grid, outline);
  drawLungs(volume, grid, lungs, body, organs, [CT_BASIC_LABELS.lungLeft, CT_BASIC_LABELS.lungRight]);
  step(2, 'bone');
  const bone = boneMask(volume, body);
  for (let n = 0; n < bone.length; n++) if (bone[n]) organs[n] = CT_BASIC_LABELS.bone;
  step(STEPS, 'bone');
  return { body, organs };
}
