/** The limits of reading, each with its reason. A size in the input is never believed before it passed here (DESIGN §7). */

export interface ParseLimits {
  /** Sequences inside sequences. Deepest known real object (enhanced SR trees) is below 30. */
  readonly maxDepth: number;
  /** Data elements in one file: an RTSTRUCT of 60,000 contours has about half a million. */
  readonly maxElements: number;
  /** Items of one pixel data element: one frame per fragment at least, two for an old encoder's second fragment. */
  readonly maxFragments: number;
  /** Bytes that a deflated data set may grow to: the largest typed array that all our platforms allocate. */
  readonly maxInflatedBytes: number;
  /** Deflate reaches 1032 : 1 on zeros; real deflated images stay below 30 : 1. Only applied above `inflateFloor`. */
  readonly maxInflateRatio: number;
  /** Up to here any ratio is let through, since it cannot hurt: an empty 512 x 512 x 128 label map is this large. */
  readonly inflateFloor: number;
}

export const DEFAULT_LIMITS: ParseLimits = {
  maxDepth: 64,
  maxElements: 4_000_000,
  maxFragments: 1_000_000,
  maxInflatedBytes: 2 ** 31 - 1,
  maxInflateRatio: 200,
  inflateFloor: 64 * 2 ** 20,
};
