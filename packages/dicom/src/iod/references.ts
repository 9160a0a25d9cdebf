/** Items that point to images: Referenced SOP macros (PS3.3 10.8, 10.3) and Common Instance Reference (C.12.2). */
import { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';
import { uidFrom } from '../dataset/uid.js';
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

/**
 * Each instance once, in order of first use: a multi-frame image holds many slices. Images that an anonymiser left without
 * UIDs cannot be referred to and are left out, rather than given names that lead nowhere.
 */
export function distinctInstances(slices: readonly SliceReference[]): readonly SliceReference[] {
  const byUID = new Map<string, SliceReference>();
  for (const slice of slices)
    if (canBeNamed(slice) && !byUID.has(slice.SOPInstanceUID)) byUID.set(slice.SOPInstanceUID, slice);
  return [...byUID.values()];
}

export function canBeNamed(slice: SliceReference): boolean {
  return slice.SOPClassUID !== '' && slice.SOPInstanceUID !== '';
}

/** One item of (Series Instance UID, instances under `sequence`), or none when no instance has a UID. */
export function seriesItems(reference: ReferenceSeries, sequence: Keyword): readonly Dataset[] {
  const instances = distinctInstances(reference.slices);
  if (instances.length === 0) return [];
  const item = new Dataset().set('SeriesInstanceUID', reference.SeriesInstanceUID);
  return [item.set(sequence, instances.map(instanceItem))];
}

/**
 * The reference with the UIDs that every object must have, made where an anonymiser removed them. A series needs one as
 * soon as its images have theirs, since whatever refers to an image must say its series (PS3.3 C.12.2). They follow from
 * the UIDs that are left, so that an RTSTRUCT and a SEG on the same images lie in one study and refer to one series; only
 * images without any UID get new ones from `uid` each time.
 */
export function identified(reference: ReferenceSeries, uid: () => string): ReferenceSeries {
  const { StudyInstanceUID, SeriesInstanceUID, FrameOfReferenceUID, slices } = reference;
  if (StudyInstanceUID && SeriesInstanceUID && FrameOfReferenceUID) return reference;
  const instances = slices.map(({ SOPInstanceUID }) => SOPInstanceUID);
  const left = [StudyInstanceUID, SeriesInstanceUID, FrameOfReferenceUID, ...instances];
  const known = left.some((one) => one !== '');
  const made = (level: string) => (known ? uidFrom(`isocenter ${level} of ${left.join(' ')}`) : uid());
  return {
    ...reference,
    StudyInstanceUID: StudyInstanceUID || made('study'),
    SeriesInstanceUID: SeriesInstanceUID || made('series'),
    FrameOfReferenceUID: FrameOfReferenceUID || made('frame of reference'),
  };
}
