/**
 * The one shape of every error that Isocenter reports on purpose: a closed kind per module, the place that failed, and
 * what a human can do next. Borders (CLI, HTTP, DIMSE) translate a Failure; anything else they see is a defect of ours.
 */
const FAILURE = Symbol.for('isocenter.failure');

export interface FailureDetails {
  /** Field, UID, file entry or byte offset that failed; never a patient's name or a value of a patient-identifying tag. */
  readonly where?: string;
  /** What the reader of the message can do about it, as a sentence. */
  readonly next?: string;
  readonly cause?: unknown;
}

/**
 * Base of every module's error class: `class ArchiveError extends Failure<ArchiveErrorKind> {}`.
 * `kind` is from the module's closed union; `message` says what is wrong, `where` where, `next` what to do.
 */
export class Failure<Kind extends string = string> extends Error {
  readonly kind: Kind;
  readonly where: string | undefined;
  readonly next: string | undefined;
  /** Recognised across copies of this module (a test's source beside the built package), where `instanceof` fails. */
  readonly [FAILURE] = true;

  constructor(kind: Kind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.kind = kind;
    this.where = details.where;
    this.next = details.next;
  }
}

export function isFailure(error: unknown): error is Failure {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[FAILURE] === true;
}

/** One text for people: what, where, next step. */
export function describeFailure(error: Failure): string {
  const where = error.where ? ` [${error.where}]` : '';
  const next = error.next ? `\n  Next: ${error.next}` : '';
  return `${error.message}${where}${next}`;
}
