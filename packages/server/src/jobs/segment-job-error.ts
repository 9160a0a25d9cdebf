/** What a job of the kind 'segment' refuses before, or in place of, what its model says. */
import { Failure } from '@isocenter/volume';

export type SegmentJobErrorKind = 'bad-parameters' | 'no-model' | 'no-input' | 'bad-archive';

export class SegmentJobError extends Failure<SegmentJobErrorKind> {}
