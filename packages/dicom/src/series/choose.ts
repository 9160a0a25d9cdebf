/**
 * Which series a model gets: the same one for the same input, with the reasons as sentences. Nothing is chosen
 * silently: two series that fit equally well are an error unless the protocol says that the first wins.
 */
import { type AssembleOptions, type Assembly, assembleSeries } from './assemble.js';
import { SeriesError } from './errors.js';
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
 * Throws SeriesError `damaged-source`, `unknown-series`, `no-series`, `ambiguous-series`, `unusable-series`. Preference:
 * usable, not a localiser, original rather than derived, several slices rather than one, most slices.
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
  const ties = ranked.filter((each) => compareRanks(rank(each), rank(best)) === 0);
  if (ties.length > 1 && wish.ties !== 'first') throw ambiguous(ties);
  reasons.unshift(`${title(best.series)} was chosen: ${praise(best, usable.length, ties.length)}.`);
  for (const other of ranked.slice(1)) reasons.push(`${title(other.series)} was not: ${blame(other, best)}.`);
  return { assembly: best.assembly, reasons };
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
