/** Results for tests of encoders and proofs: a phantom study on a small grid in any orientation, with its truth as segmentation. */
import { assembleSeries, loadVolume, scanSources, uidFrom } from '@isocenter/dicom';
import { bufferSource } from '@isocenter/formats';
import type { Segmentation } from '@isocenter/volume';
import { makePhantom, type PhantomOptions } from '../phantom/make-phantom.js';
import type { EncodeOptions, SegmentationResult } from './encoder.js';

export const testNow = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));

/** The same UIDs at every run. */
export function countedUIDs(): () => string {
  let n = 0;
  return () => uidFrom(`encoder test ${++n}`);
}

export function encodeOptions(): EncodeOptions {
  return { now: testNow, uid: countedUIDs() };
}

export async function phantomResult(options: PhantomOptions = {}): Promise<SegmentationResult> {
  const phantom = await makePhantom({ size: [72, 64, 24], spacing: [5.5, 5.5, 12], ...options });
  const scan = await scanSources(phantom.files.map(({ bytes, name }) => bufferSource(bytes, name)));
  const { volume, reference, units } = await loadVolume(assembleSeries(scan.series[0]));
  const segmentation: Segmentation = phantom.segmentation;
  return {
    segmentation,
    image: volume,
    modality: reference.Modality,
    units,
    reference,
    provenance: {
      modelName: 'truth',
      modelVersion: '1',
      weightsHash: '',
      configurationHash: 'ab'.repeat(32),
      runUID: '2.25.1',
      softwareVersion: '0.1.0',
    },
  };
}
