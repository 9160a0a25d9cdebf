/** What this protocol itself refuses; everything else comes from the areas behind it. */
import { Failure } from '@isocenter/volume';

export type InnerEyeErrorKind = 'unknown-model' | 'unknown-run' | 'model-not-usable';

export class InnerEyeError extends Failure<InnerEyeErrorKind> {}
