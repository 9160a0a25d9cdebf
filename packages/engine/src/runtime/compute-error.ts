/** How a run in the compute child can end without an answer. */
import { Failure } from '@isocenter/volume';

export type ComputeErrorKind =
  | 'cancelled'
  | 'time-limit'
  | 'memory-limit'
  | 'child-crashed'
  | 'temporary-folder'
  | 'child-not-built'
  /** Nobody was free for as long as the caller would wait. */
  | 'busy'
  /** It would not fit, and was not begun. */
  | 'memory-forecast';

export class ComputeError extends Failure<ComputeErrorKind> {}

/** A Failure that was thrown in the child: kind, place and next step are its own, and so is its name. */
export class ForwardedFailure extends Failure<string> {
  constructor(name: string, kind: string, message: string, where: string | undefined, next: string | undefined) {
    super(kind, message, { ...(where === undefined ? {} : { where }), ...(next === undefined ? {} : { next }) });
    this.name = name;
  }
}
