/**
 * Functional groups of enhanced multi-frame objects (PS3.3 C.7.6.16): what holds for a frame stands in its item of the
 * per-frame sequence, else in the shared sequence. Classic instances have neither: their data set is its own group.
 */
import type { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';

export interface FrameAttributes {
  /** First item of a functional group macro for this frame, or the data set itself for a classic instance. */
  group(sequence: Keyword): Dataset | undefined;
  readonly enhanced: boolean;
}

/** One FrameAttributes per frame; `frames` is what Number of Frames says. */
export function attributesPerFrame(header: Dataset, frames: number): readonly FrameAttributes[] {
  const perFrame = header.items('PerFrameFunctionalGroupsSequence');
  const shared = header.items('SharedFunctionalGroupsSequence')[0];
  if (perFrame.length === 0 && !shared) {
    const classic: FrameAttributes = { group: () => header, enhanced: false };
    return Array.from({ length: frames }, () => classic);
  }
  return Array.from({ length: frames }, (_, index): FrameAttributes => {
    const own = perFrame[index];
    return {
      group: (sequence) => own?.items(sequence)[0] ?? shared?.items(sequence)[0],
      enhanced: true,
    };
  });
}
