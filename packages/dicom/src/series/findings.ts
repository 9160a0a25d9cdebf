/** What can be wrong or remarkable about a series, as data: kind, how bad, what, where, what to do. Tolerances stand here, named. */

import type { Instance } from './frame.js';

export type FindingSeverity = 'note' | 'warning' | 'refusal';

export type FindingKind =
  /** One Series Instance UID held images that cannot share a grid; they were sorted into parts. */
  | 'mixed-series'
  /** Scout, scanogram or three-plane localiser. */
  | 'localiser'
  /** Several time points, echoes, b-values … at the same positions; sorted into parts. */
  | 'several-volumes'
  | 'duplicate'
  | 'conflicting-duplicates'
  | 'gap'
  | 'variable-spacing'
  | 'uneven-positions'
  | 'gantry-tilt'
  | 'single-slice'
  | 'missing-position'
  | 'missing-orientation'
  | 'bad-orientation'
  | 'missing-pixel-spacing'
  | 'assumed-pixel-spacing'
  | 'colour'
  | 'monochrome1'
  | 'modality-lut'
  | 'pixel-data-size'
  | 'unsupported-transfer-syntax'
  | 'rescale-differs'
  | 'missing-rescale'
  | 'missing-uid'
  | 'mosaic'
  | 'left-out';

export interface Finding {
  readonly kind: FindingKind;
  /** 'refusal': no volume can be made of the series as it is. */
  readonly severity: FindingSeverity;
  /** A sentence for people; never a patient's name or id. */
  readonly message: string;
  /** Slice position, source name or UID. */
  readonly where?: string;
  /** What the reader can do about it. */
  readonly next?: string;
}

/** Slice distances of one volume may differ by this much (mm); the rule of RTSTRUCT writers (protocols 1.7). */
export const GAP_TOLERANCE_MM = 0.1;
/** No slice may lie farther than this (mm) from the regular grid that the affine describes (protocols 1.7). */
export const GRID_TOLERANCE_MM = 2;
/** Images closer than this (mm) show the same position. */
export const SAME_POSITION_MM = 0.01;
/** Direction cosines that differ by less than this belong to one stack: DS rounding, not another orientation. */
export const SAME_ORIENTATION = 1e-3;
/** Pixel spacings that differ by less than this (mm) are one spacing. */
export const SAME_SPACING_MM = 1e-4;
/** Row and column directions may miss unit length and the right angle by this much before they are refused. */
export const ORTHONORMAL_TOLERANCE = 1e-2;
/** Above this angle (degrees) between the slice normal and the line of slice positions a series counts as tilted. */
export const TILT_TOLERANCE_DEGREES = 0.1;

export function hasRefusal(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'refusal');
}

/** At most `limit` of many positions or names, for messages. */
/**
 * Images as findings and errors name them: by Instance Number, or by UID where that is missing. Names of files would
 * say it too, but they often hold a patient's name, and messages end in logs.
 */
export function imagesByNumber(instances: readonly Instance[]): string {
  const numbers = new Set<number>();
  const others = new Set<string>();
  for (const { header, SOPInstanceUID } of instances) {
    const number = Number.parseInt(header.string('InstanceNumber') ?? '', 10);
    if (Number.isNaN(number)) others.add(`SOP Instance UID ${SOPInstanceUID}`);
    else numbers.add(number);
  }
  const sorted = [...numbers].sort((a, b) => a - b).map(String);
  const prefix = sorted.length > 0 ? `Instance Number ${sorted.shift()}` : [];
  return listed([prefix, sorted, [...others].sort()].flat());
}

export function listed(items: readonly string[], limit = 8): string {
  const shown = items.slice(0, limit).join(', ');
  return items.length > limit ? `${shown} and ${items.length - limit} more` : shown;
}

export function millimetres(value: number): string {
  return `${Number(value.toFixed(3))} mm`;
}
