/** Items that point to images: Referenced SOP macros (PS3.3 10.8, 10.3) and Common Instance Reference (C.12.2). */
import { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';
import type { ReferenceSeries, SliceReference } from '../series/reference.js';

/** SOP class and instance, and the frame where the image has several. */
export function imageItem(slice: SliceReference): Dataset {
  const item = instanceItem(slice);
  if (slice.frameNumber !== undefined) item.set('ReferencedFrameNumber', [slice.frameNumber]);
  return item;
}

export function instanceItem(slice: Pick<SliceReference, 'SOPClassUID' | 'SOPInstanceUID'>): Dataset {
  return new Dataset()
    .set('ReferencedSOPClassUID', slice.SOPClassUID)
    .set('ReferencedSOPInstanceUID', slice.SOPInstanceUID);
}

/** Each instance once, in order of first use: a multi-frame image holds many slices. */
export function distinctInstances(slices: readonly SliceReference[]): readonly SliceReference[] {
  const byUID = new Map<string, SliceReference>();
  for (const slice of slices) if (!byUID.has(slice.SOPInstanceUID)) byUID.set(slice.SOPInstanceUID, slice);
  return [...byUID.values()];
}

/** One item for `sequence` of (Series Instance UID, instances). */
export function seriesItem(reference: ReferenceSeries, sequence: Keyword): Dataset {
  return new Dataset()
    .set('SeriesInstanceUID', reference.SeriesInstanceUID)
    .set(sequence, distinctInstances(reference.slices).map(instanceItem));
}
