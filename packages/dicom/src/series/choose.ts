/**
 * Which series a model gets: the same one for the same input, with the reasons as sentences. Nothing is chosen
 * silently: two series that fit equally well are an error unless the protocol says that the first wins.
 */
import { cross, dot } from '@isocenter/volume';
import { type AssembleOptions, type Assembly, assembleSeries } from './assemble.js';
import { SeriesError } from './errors.js';
import { imagesByNumber, SAME_POSITION_MM } from './findings.js';
import type { Frame } from './frame.js';
import { samePlane } from './group.js';
import type { Scan } from './scan.js';
import { type Series, seriesTitle } from './series.js';

export interface Wish {
  /** One of these modalities ('CT', 'MR', 'PT' …); any when absent. */
  readonly modality?: string | readonly string[];
  readonly SeriesInstanceUID?: string;
  /** `Series.number` of the scan. */
  readonly number?: number;
  /** Equally good candidates: error (default), or the one with the lowest number. */
  readonly ties?: 'error' | 'first';
  /** Damaged files among the sources: error (default), since a missing slice may be among them, or leave them out. */
  readonly damaged?: 'error' | 'ignore';
  /** Where the rest of the chosen series may be, when `scan.series` is only a choice of them; default `scan.series`. */
  readonly among?: readonly Series[];
  readonly assemble?: AssembleOptions;
}

export interface Choice {
  readonly assembly: Assembly;
  /** Why this series, and why not the others: one sentence each, for people. */
  readonly reasons: readonly string[];
}

interface Candidate {
  readonly series: Series;
  readonly assembly: Assembly;
}

/**
 * Throws SeriesError `damaged-source`, `unknown-series`, `no-series`, `ambiguous-series`, `unusable-series`, `fragment`.
 * Preference: usable, not a localiser, original rather than derived, several slices rather than one, most slices.
 */
export function chooseSeries(scan: Scan, wish: Wish = {}): Choice {
  if (wish.damaged !== 'ignore') refuseDamage(scan);
  const reasons: string[] = [];
  if (scan.refused.length > 0) reasons.push(`${scan.refused.length} damaged files were left out, as asked for.`);
  const named = byName(scan, wish);
  const modalities = wish.modality === undefined ? undefined : [wish.modality].flat();
  const fitting = named.filter(({ series }) => {
    const fits = !modalities || modalities.includes(series.Modality);
    if (!fits)
      reasons.push(`${title(series)} is ${series.Modality || 'of no modality'}, not ${modalities.join(' or ')}.`);
    return fits;
  });
  if (fitting.length === 0) throw nothingFits(scan, modalities);
  const usable = fitting.filter(({ series, assembly }) => {
    if (!assembly.usable) reasons.push(`${title(series)} cannot be used: ${firstRefusal(assembly)}`);
    return assembly.usable;
  });
  if (usable.length === 0) throw unusable(fitting);
  const ranked = [...usable].sort((a, b) => compareRanks(rank(a), rank(b)) || a.series.number - b.series.number);
  const best = ranked[0];
  refuseLesser(fitting, best);
  const ties = ranked.filter((each) => compareRanks(rank(each), rank(best)) === 0);
  if (ties.length > 1 && wish.ties !== 'first') throw ambiguous(ties);
  const assembly = wish.number === undefined ? wholeSeries(best, wish.among ?? scan.series, wish) : best.assembly;
  reasons.unshift(`${title(best.series)} was chosen: ${praise(best, usable.length, ties.length)}.`);
  for (const other of ranked.slice(1)) reasons.push(`${title(other.series)} was not: ${blame(other, best)}.`);
  return { assembly, reasons };
}

/** One image is not taken because the series of many, which was meant, cannot be used. */
function refuseLesser(fitting: readonly Candidate[], best: Candidate): void {
  const worth = (candidate: Candidate) => rank(candidate).slice(0, 2);
  const better = fitting.filter(
    (each) => !each.assembly.usable && compareRanks(worth(each), worth(best)) < 0 && !isColour(each.series),
  );
  if (better.length > 0) throw unusable(better);
}

/**
 * A part that is only a piece of its series gives a result that looks whole and is not: refused, or said where the longest
 * run was asked for. What is no piece: localisers, derived and colour images, further volumes at the same positions.
 */
function wholeSeries({ series, assembly }: Candidate, among: readonly Series[], { assemble }: Wish): Assembly {
  const others = among.filter(
    (other) => other !== series && isSameSeries(other, series) && isPiece(other) && !isVolumeAgain(other, assembly),
  );
  if (others.length === 0) return assembly;
  const frames = others.flatMap((other) => other.frames);
  const count = `${frames.length} of the ${frames.length + series.frames.length} images of the series`;
  const where = imagesByNumber(frames.map(({ instance }) => instance));
  const why = 'another size, orientation, pixel spacing, frame of reference, modality, study or stack';
  if (assemble?.irregular !== 'longest-run')
    throw new SeriesError('fragment', `${title(series)} is only a piece: ${count} have ${why} and would be missing.`, {
      where,
      next: 'Send a series of one kind. Where a part is meant, name it by its number (inspect lists them), or ask for the longest run.',
    });
  const message = `${count} have ${why} and were left out, as asked for.`;
  return { ...assembly, findings: [...assembly.findings, { kind: 'left-out', severity: 'warning', message, where }] };

  function isPiece(other: Series): boolean {
    return !other.localiser && !isColour(other) && (!other.derived || series.derived);
  }
}

/** Also where a header contradicts the others about modality or study; emptied UIDs say nothing beyond those. */
function isSameSeries(a: Series, b: Series): boolean {
  if (a.SeriesInstanceUID !== b.SeriesInstanceUID) return false;
  return a.SeriesInstanceUID !== '' || (a.StudyInstanceUID === b.StudyInstanceUID && a.Modality === b.Modality);
}

function isColour({ frames }: Series): boolean {
  return frames[0].instance.samplesPerPixel > 1;
}

/** Another time point, echo …: on the grid of the assembly, with no position that it does not have as well. */
function isVolumeAgain({ frames, rows, columns, FrameOfReferenceUID }: Series, { series, slices }: Assembly): boolean {
  const [first] = slices;
  if (rows !== series.rows || columns !== series.columns || FrameOfReferenceUID !== series.FrameOfReferenceUID)
    return false;
  if (!samePlane(frames[0], first) || !first.rowDirection || !first.columnDirection) return false;
  const normal = cross(first.rowDirection, first.columnDirection);
  const heightOf = ({ position }: Frame) => (position ? dot(position, normal) : Number.NaN);
  const there = new Set(slices.map((slice) => Math.round(heightOf(slice) / SAME_POSITION_MM)));
  return frames.every((frame) => {
    const place = Math.round(heightOf(frame) / SAME_POSITION_MM);
    return [place - 1, place, place + 1].some((near) => there.has(near));
  });
}

function refuseDamage({ refused }: Scan): void {
  if (refused.length === 0) return;
  const [first] = refused;
  throw new SeriesError('damaged-source', `${refused.length} of the files cannot be read: ${first.failure.message}`, {
    // Not by name, which may be a patient's: `inspect` lists them.
    where: first.failure.where,
    next: 'Send them again (inspect lists them), or ask to ignore damaged files; slices may then be missing.',
    cause: first.failure,
  });
}

function byName(scan: Scan, wish: Wish): readonly Candidate[] {
  const wanted = scan.series.filter(
    (series) =>
      (wish.SeriesInstanceUID === undefined || series.SeriesInstanceUID === wish.SeriesInstanceUID) &&
      (wish.number === undefined || series.number === wish.number),
  );
  if (wanted.length === 0 && (wish.SeriesInstanceUID !== undefined || wish.number !== undefined))
    throw new SeriesError('unknown-series', `There is no series ${wish.SeriesInstanceUID ?? wish.number}.`, {
      next: `There are series 1 to ${scan.series.length}; list them with inspect.`,
    });
  return wanted.map((series) => ({ series, assembly: assembleSeries(series, wish.assemble) }));
}

function nothingFits(scan: Scan, modalities: readonly string[] | undefined): SeriesError {
  const found = [...new Set(scan.series.map((series) => series.Modality || 'no modality'))];
  const message = modalities ? `There is no ${modalities.join(' or ')} series.` : 'There is no DICOM image series.';
  const others = [...new Set(scan.objects.map((object) => object.kind))];
  return new SeriesError('no-series', message, {
    next: `Found: ${[...found, ...others].join(', ') || 'nothing that is DICOM'}.`,
  });
}

function firstRefusal(assembly: Assembly): string {
  return assembly.findings.find((finding) => finding.severity === 'refusal')?.message ?? 'it has no grid.';
}

function unusable(fitting: readonly Candidate[]): SeriesError {
  const [first] = fitting;
  const refusal = first.assembly.findings.find((finding) => finding.severity === 'refusal');
  const more = fitting.length > 1 ? ` (and ${fitting.length - 1} more series, none usable)` : '';
  return new SeriesError(
    'unusable-series',
    `${title(first.series)} cannot be used: ${firstRefusal(first.assembly)}${more}`,
    {
      where: refusal?.where,
      next: refusal?.next,
    },
  );
}

function ambiguous(ties: readonly Candidate[]): SeriesError {
  const list = ties.map(({ series, assembly }) => `${seriesTitle(series)} with ${assembly.slices.length} slices`);
  return new SeriesError('ambiguous-series', `${ties.length} series fit equally well: ${list.join('; ')}.`, {
    where: ties.map(({ series }) => series.SeriesInstanceUID).join(', '),
    next: 'Name one by its number or Series Instance UID.',
  });
}

/** Smaller is better, from the most important to the least. */
function rank({ series, assembly }: Candidate): readonly number[] {
  return [
    series.localiser ? 1 : 0,
    assembly.slices.length > 1 ? 0 : 1,
    series.derived ? 1 : 0,
    -assembly.slices.length,
  ];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : a[at] - b[at];
}

function praise({ series, assembly }: Candidate, usable: number, ties: number): string {
  const kind = series.localiser ? 'localiser' : series.derived ? 'derived' : 'original';
  const slices = `${assembly.slices.length} slice${assembly.slices.length === 1 ? '' : 's'}`;
  const text = `${series.Modality}, ${kind}, ${slices}`;
  if (usable === 1) return `${text}, the only usable series`;
  return ties > 1
    ? `${text}, the first of ${ties} that fit equally well`
    : `${text}, the best of ${usable} usable series`;
}

function blame(other: Candidate, best: Candidate): string {
  const [localiser, slab, derived] = rank(other).map((value, index) => value > rank(best)[index]);
  if (localiser) return 'it is a localiser';
  if (slab) return 'it has one slice only';
  if (derived) return 'it is derived from another';
  const count = other.assembly.slices.length;
  return count === best.assembly.slices.length ? 'it fits as well but comes later' : `it has ${count} slices only`;
}

function title(series: Series): string {
  const text = seriesTitle(series);
  return text[0].toUpperCase() + text.slice(1);
}
