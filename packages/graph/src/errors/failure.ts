/**
 * The shape of errors of this package: as Failure of `@isocenter/volume`, which this package (same level) cannot import. The
 * shared symbol makes borders that translate a Failure know ours too.
 */
const FAILURE = Symbol.for('isocenter.failure');

export interface FailureDetails {
  /** The node, tensor or file entry that failed. */
  readonly where?: string;
  /** What the reader of the message can do about it, as a sentence. */
  readonly next?: string;
  readonly cause?: unknown;
}

export class Failure<Kind extends string = string> extends Error {
  readonly kind: Kind;
  readonly where: string | undefined;
  readonly next: string | undefined;
  readonly [FAILURE] = true;

  constructor(kind: Kind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.kind = kind;
    this.where = details.where;
    this.next = details.next;
  }
}
