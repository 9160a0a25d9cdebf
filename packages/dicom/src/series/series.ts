/** A Series as the scan sorts it out: frames of one Series Instance UID that can share a grid. */
import type { Finding } from './findings.js';
import type { Frame } from './frame.js';

export interface Series {
  /** 1-based, in the scan's fixed order: the name for people. */
  readonly number: number;
  readonly StudyInstanceUID: string;
  /** Empty when a de-identifier emptied it. */
  readonly SeriesInstanceUID: string;
  readonly FrameOfReferenceUID: string;
  readonly Modality: string;
  readonly SeriesNumber?: number;
  readonly SeriesDescription?: string;
  readonly rows: number;
  readonly columns: number;
  /** Present when the UID held more than one grid, time point, echo …: which of them this is. */
  readonly part?: { readonly index: number; readonly count: number; readonly label: string };
  readonly localiser: boolean;
  /** Image Type says DERIVED or SECONDARY. */
  readonly derived: boolean;
  readonly frames: readonly Frame[];
  readonly findings: readonly Finding[];
}

/** "series 3, part 1 of 2 (512 × 512)": for messages; without description, which may name a patient. */
export function seriesTitle(series: Series): string {
  const part = series.part ? `, part ${series.part.index} of ${series.part.count} (${series.part.label})` : '';
  return `series ${series.number}${part}`;
}
