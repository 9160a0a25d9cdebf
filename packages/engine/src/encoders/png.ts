/** A picture for people: cuts in three planes with outlines (overlay/ draws it). */
import { encodePng } from '@isocenter/formats';
import { type Encoder, type SegmentationResult, stemOf } from './encoder.js';
import { drawOverlay } from './overlay/draw-overlay.js';
import type { Raster } from './overlay/raster.js';

export function overlayOf({ image, segmentation, modality, provenance }: SegmentationResult): Raster {
  const title = `${provenance.modelName}:${provenance.modelVersion}`;
  return drawOverlay(image, segmentation, { modality, title });
}

export const pngEncoder: Encoder = Object.freeze<Encoder>({
  format: 'png',
  needsReference: false,
  async encode(result, options) {
    const { width, height, data } = overlayOf(result);
    return [{ name: `${stemOf(options)}.overlay.png`, bytes: encodePng({ width, height, channels: 3, data }) }];
  },
});
