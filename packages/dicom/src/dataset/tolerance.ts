/** What reading forgave: each tolerance is a named, counted, reported event (style guide 14). */

export type ToleranceKind =
  | 'no-preamble'
  | 'misplaced-prefix'
  | 'wrong-group-length'
  | 'missing-transfer-syntax'
  | 'transfer-syntax-contradicted'
  | 'unknown-vr'
  | 'implicit-element-in-explicit'
  | 'sequence-in-un'
  | 'odd-length'
  | 'out-of-order'
  | 'missing-delimiter'
  | 'stray-delimiter'
  | 'trailing-bytes'
  | 'unknown-charset'
  | 'undecodable-text';

export interface Tolerance {
  readonly kind: ToleranceKind;
  readonly message: string;
  /** Tag or byte offset of the first occurrence. */
  readonly where: string;
  readonly count: number;
}

/** Counts by kind; keeps the first place of each, so that hostile input cannot make the list grow. */
export class Tolerances {
  readonly #found = new Map<ToleranceKind, { kind: ToleranceKind; message: string; where: string; count: number }>();

  add(kind: ToleranceKind, message: string, where: string): void {
    const known = this.#found.get(kind);
    if (known) known.count++;
    else this.#found.set(kind, { kind, message, where, count: 1 });
  }

  list(): readonly Tolerance[] {
    return [...this.#found.values()];
  }
}
