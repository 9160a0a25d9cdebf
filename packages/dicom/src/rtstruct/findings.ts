/** What a reader should know after contours were put on a grid: what was left out, moved or guessed. Tolerances are named here. */
import type { FindingSeverity } from '../series/findings.js';

export type RtFindingKind =
  /** POINT and OPEN contours enclose nothing; they were skipped. */
  | 'not-closed'
  /** A contour that is not parallel to the slices has no place on this grid; refused. */
  | 'not-parallel'
  /** A contour farther than half a slice outside the first or last slice; left out. */
  | 'outside-slices'
  /** A contour with a point farther from the grid than any scanner reaches; left out. */
  | 'too-far'
  /** Contours between the slice planes, put on the nearest slice. */
  | 'off-plane'
  /** Contours of several planes fall into one slice; the plane closest to the slice was taken. */
  | 'several-planes'
  /** Closed contours of fewer than three points. */
  | 'degenerate'
  | 'frame-of-reference-differs'
  /** Contours name images that are not the ones of the series; they were matched by position. */
  | 'images-differ'
  | 'empty-structure'
  /** Structures overlap and were put into several layers. Not an error. */
  | 'overlap';

export interface RtFinding {
  readonly kind: RtFindingKind;
  readonly severity: FindingSeverity;
  readonly message: string;
  /** ROI names or numbers; never a patient's. */
  readonly where?: string;
  readonly count: number;
}

/** Points of one contour may lie this far (in slices) from their common plane: more, and it is not parallel to the slices. */
export const PARALLEL_TOLERANCE_SLICES = 0.25;
/** Contours farther than this (mm) from their slice's plane are told as off-plane; nearer ones are rounding. */
export const OFF_PLANE_MM = 0.01;
/** Contours of one slice whose planes are closer than this (in slices) are drawn in the same plane. */
export const SAME_PLANE_SLICES = 0.05;

/** Pixels from the first one: a point farther away is a fault in the file. */
export const FARTHEST_PIXEL = 1e6;

/** One finding per kind and place, counted: a clinical set can have thousands of like contours. */
export class RtFindings {
  readonly #found = new Map<string, { finding: Omit<RtFinding, 'count'>; count: number }>();

  add(kind: RtFindingKind, severity: FindingSeverity, message: string, where: string): void {
    const key = `${kind} ${where}`;
    const entry = this.#found.get(key);
    if (entry) entry.count++;
    else this.#found.set(key, { finding: { kind, severity, message, where }, count: 1 });
  }

  list(): readonly RtFinding[] {
    return [...this.#found.values()].map(({ finding, count }) => Object.freeze({ ...finding, count }));
  }
}
