/**
 * Series → a regular grid of slices, or the reasons why there is none. Order, spacing and direction come from Image
 * Position and Image Orientation (Patient) alone (PS3.3 C.7.6.2.1.1); InstanceNumber, SliceLocation and SliceThickness
 * have no say.
 */
import type { Grid } from '@isocenter/volume';
import {
  type Finding,
  GAP_TOLERANCE_MM,
  GRID_TOLERANCE_MM,
  hasRefusal,
  imagesByNumber,
  listed,
  millimetres,
  TILT_TOLERANCE_DEGREES,
} from './findings.js';
import type { Frame } from './frame.js';
import { imageFindings } from './image-findings.js';
import { contestedPositions } from './repeats.js';
import type { Series } from './series.js';
import {
  baseInterval,
  intervalsOf,
  isOrthonormal,
  isPlaced,
  isRegular,
  largestMisfit,
  longestRun,
  medianOf,
  orderAlongNormal,
  type PlacedFrame,
  stackAffine,
  tiltDegrees,
} from './stack.js';

export interface AssembleOptions {
  /** Gaps and uneven spacing: refuse (default), or take the longest run of evenly spaced slices and say what is left out. */
  readonly irregular?: 'refuse' | 'longest-run';
  /** mm between rows, mm between columns, for images that say no pixel spacing. */
  readonly pixelSpacing?: readonly [number, number];
}

export interface Assembly {
  readonly series: Series;
  /** size = [Columns, Rows, slices]; undefined when no grid can be given (`usable` is then false). */
  readonly grid: Grid | undefined;
  /** By k: ascending along the slice normal (row × column direction). */
  readonly slices: readonly Frame[];
  readonly findings: readonly Finding[];
  /** False exactly when a finding is a refusal. */
  readonly usable: boolean;
}

/** Pure and quick: looks at headers only. Never throws for bad images; what is wrong stands in `findings`. */
export function assembleSeries(series: Series, options: AssembleOptions = {}): Assembly {
  const findings: Finding[] = [...series.findings, ...imageFindings(series)];
  const pixelSpacing = spacingOfSeries(series, options, findings);
  const placed = series.frames.filter(isPlaced);
  const refused = (slices: readonly Frame[]): Assembly => ({
    series,
    grid: undefined,
    slices,
    findings,
    usable: false,
  });
  if (placed.length < series.frames.length) {
    if (series.frames.length > 1) {
      findings.push(missingPlace(series.frames, placed.length));
      return refused(series.frames);
    }
    return flatImage(series, pixelSpacing, findings);
  }
  if (!isOrthonormal(placed[0])) {
    findings.push({
      kind: 'bad-orientation',
      severity: 'refusal',
      message: 'Image Orientation (Patient) is not two perpendicular directions of unit length.',
      where: imagesByNumber([placed[0].instance]),
    });
    return refused(placed);
  }
  const slices = regularSlices(placed, options, findings);
  if (!slices || !pixelSpacing) return refused(slices ?? orderAlongNormal(placed).slices);
  const affine = stackAffine(slices, pixelSpacing, slices[0].sliceThickness ?? slices[0].spacingBetweenSlices ?? 1);
  findings.push(...shapeFindings(slices, affine));
  const grid: Grid = { size: [series.columns, series.rows, slices.length], affine };
  return { series, grid: hasRefusal(findings) ? undefined : grid, slices, findings, usable: !hasRefusal(findings) };
}

function spacingOfSeries(
  series: Series,
  options: AssembleOptions,
  findings: Finding[],
): readonly [number, number] | undefined {
  const [first] = series.frames;
  if (first.pixelSpacing) {
    if (first.spacingAtDetector)
      findings.push({
        kind: 'missing-pixel-spacing',
        severity: 'warning',
        message:
          'Pixel Spacing is missing; the spacing at the detector is used, which is larger than that in the patient.',
      });
    return first.pixelSpacing;
  }
  if (options.pixelSpacing) {
    findings.push({
      kind: 'assumed-pixel-spacing',
      severity: 'warning',
      message: `Pixel Spacing is missing; ${options.pixelSpacing.map(millimetres).join(' × ')} is assumed, as asked for.`,
    });
    return options.pixelSpacing;
  }
  findings.push({
    kind: 'missing-pixel-spacing',
    severity: 'refusal',
    message: 'The images do not say how large a pixel is (Pixel Spacing).',
    next: 'Give the spacing as an option, or export the images again with it.',
  });
  return undefined;
}

function missingPlace(frames: readonly Frame[], placed: number): Finding {
  const lacks = frames.filter((frame) => !isPlaced(frame));
  const kind = lacks.some((frame) => frame.position === undefined) ? 'missing-position' : 'missing-orientation';
  const what = kind === 'missing-position' ? 'Image Position (Patient)' : 'Image Orientation (Patient)';
  return {
    kind,
    severity: 'refusal',
    message: `${frames.length - placed} of ${frames.length} images do not say where they lie (${what}), so they cannot be put in order.`,
    where: imagesByNumber(lacks.map(({ instance }) => instance)),
    next: 'Export the images again as classic or enhanced CT, MR or PET with their positions.',
  };
}

/** One image without a place in the patient (radiograph, photograph): a grid of its own, which no contour may leave. */
function flatImage(series: Series, pixelSpacing: readonly [number, number] | undefined, findings: Finding[]): Assembly {
  const [frame] = series.frames;
  findings.push({
    kind: 'missing-position',
    severity: 'warning',
    message: 'The image does not say where it lies in the patient; coordinates are its own, from its first pixel.',
    next: 'Results can be shown on this image only.',
  });
  if (!pixelSpacing || hasRefusal(findings))
    return { series, grid: undefined, slices: series.frames, findings, usable: false };
  const depth = frame.sliceThickness ?? 1;
  const affine = [pixelSpacing[1], 0, 0, 0, 0, pixelSpacing[0], 0, 0, 0, 0, depth, 0, 0, 0, 0, 1];
  const grid: Grid = { size: [series.columns, series.rows, 1], affine };
  return { series, grid, slices: series.frames, findings, usable: true };
}

/** The slices in order when their distances are equal; else a finding, and the longest even run if that is wished. */
function regularSlices(
  placed: readonly PlacedFrame[],
  options: AssembleOptions,
  findings: Finding[],
): readonly PlacedFrame[] | undefined {
  const { slices, heights } = orderAlongNormal(placed);
  const contested = contestedPositions(slices);
  if (contested.length > 0) {
    findings.push({
      kind: 'conflicting-duplicates',
      severity: 'refusal',
      message: `Several images with different pixels claim the same position, and nothing in them says which belongs to the volume.`,
      where: listed(contested),
      next: 'Send one of them only.',
    });
    return undefined;
  }
  if (slices.length < 3) return slices;
  const intervals = intervalsOf(heights);
  if (isRegular(intervals)) return slices;
  const takeRun = options.irregular === 'longest-run';
  findings.push(irregularFinding(slices, heights, takeRun ? 'warning' : 'refusal'));
  if (!takeRun) return undefined;
  const run = longestRun(intervals);
  findings.push({
    kind: 'left-out',
    severity: 'warning',
    message: `The longest evenly spaced run is used: ${run.last - run.first + 1} of ${slices.length} slices, from ${millimetres(heights[run.first])} to ${millimetres(heights[run.last])}.`,
  });
  return slices.slice(run.first, run.last + 1);
}

function irregularFinding(
  slices: readonly PlacedFrame[],
  heights: readonly number[],
  severity: Finding['severity'],
): Finding {
  const intervals = intervalsOf(heights);
  const base = baseInterval(intervals, [slices[0].sliceThickness, slices[0].spacingBetweenSlices]);
  if (base !== undefined) {
    const missing = intervals.flatMap((interval, index) =>
      Array.from({ length: Math.round(interval / base) - 1 }, (_, n) => millimetres(heights[index] + (n + 1) * base)),
    );
    return {
      kind: 'gap',
      severity,
      message: `${missing.length} slice${missing.length === 1 ? ' is' : 's are'} missing at a slice distance of ${millimetres(base)}.`,
      where: listed(missing),
      next: 'Send the missing images, or ask for the longest evenly spaced run.',
    };
  }
  const distinct = [...new Set(intervals.map((interval) => Number(interval.toFixed(2))))].sort((a, b) => a - b);
  return {
    kind: 'variable-spacing',
    severity,
    message: `Slice distances differ by more than ${GAP_TOLERANCE_MM} mm (median ${millimetres(medianOf(intervals))}).`,
    where: listed(distinct.map(millimetres)),
    next: 'Ask for the longest evenly spaced run, or send a reconstruction with even spacing.',
  };
}

function shapeFindings(slices: readonly PlacedFrame[], affine: readonly number[]): readonly Finding[] {
  const findings: Finding[] = [];
  if (slices.length === 1)
    findings.push({
      kind: 'single-slice',
      severity: 'warning',
      message: 'There is one slice only; its thickness stands for the slice distance.',
    });
  const misfit = largestMisfit(slices, affine);
  if (misfit > GAP_TOLERANCE_MM)
    findings.push({
      kind: 'uneven-positions',
      severity: misfit > GRID_TOLERANCE_MM ? 'refusal' : 'warning',
      message: `Slices lie up to ${millimetres(misfit)} beside a regular grid (allowed: ${GRID_TOLERANCE_MM} mm).`,
    });
  const tilt = tiltDegrees(slices);
  if (tilt > TILT_TOLERANCE_DEGREES)
    findings.push({
      kind: 'gantry-tilt',
      severity: 'warning',
      message: `The slices are stacked at ${tilt.toFixed(1)}° to their normal (gantry tilt); the grid is sheared, and its affine says so exactly.`,
      next: 'Resample before using tools that take right angles for granted.',
    });
  return findings;
}
