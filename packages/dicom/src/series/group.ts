/**
 * Frames → Series. First by what can never share a grid (study, series UID, size, orientation, spacing, frame of
 * reference, localiser, colour), then, where images repeat a position, by what tells volumes apart (repeats.ts).
 * Everything is sorted by content before any decision, so that the order of sources has no say.
 */
import type { Vector3, Watch } from '@isocenter/volume';
import { type Finding, SAME_ORIENTATION, SAME_SPACING_MM } from './findings.js';
import { type Frame, isMultiFrame } from './frame.js';
import { resolveRepeats } from './repeats.js';
import type { Series } from './series.js';

/** Series without a number come last. */
const UNNUMBERED = Number.MAX_SAFE_INTEGER;

export async function groupFrames(frames: readonly Frame[], watch?: Watch): Promise<readonly Series[]> {
  const ordered = [...frames].sort(compareFrames);
  const bySeries = new Map<string, Frame[]>();
  for (const frame of ordered) {
    const { StudyInstanceUID, SeriesInstanceUID, Modality } = frame.instance;
    pushTo(bySeries, [StudyInstanceUID, SeriesInstanceUID, Modality].join('|'), frame);
  }
  const found: Omit<Series, 'number'>[] = [];
  for (const members of bySeries.values()) found.push(...(await partsOf(members, watch)));
  return found.sort(compareSeries).map((series, index) => ({ ...series, number: index + 1 }));
}

interface Part {
  readonly label: string;
  readonly frames: readonly Frame[];
  readonly findings: readonly Finding[];
}

async function partsOf(members: readonly Frame[], watch?: Watch): Promise<readonly Omit<Series, 'number'>[]> {
  const grids = splitByGrid(members);
  const parts: Part[] = [];
  for (const grid of grids) {
    const label = grids.length > 1 ? gridLabel(grid) : '';
    const { volumes, findings } = await resolveRepeats(grid, watch);
    for (const volume of volumes)
      parts.push({ label: [label, volume.label].filter(Boolean).join(', '), frames: volume.frames, findings });
  }
  const mixed: Finding[] =
    grids.length > 1
      ? [
          {
            kind: 'mixed-series',
            severity: 'note',
            message: `One Series Instance UID holds ${grids.length} grids: ${grids.map(gridLabel).join('; ')}.`,
            next: 'Each is a part of its own; choose one by its number if the choice made is not the one you want.',
          },
        ]
      : [];
  return parts.map((part, index) => describe(part, index, parts.length, mixed));
}

function describe(part: Part, index: number, count: number, mixed: readonly Finding[]): Omit<Series, 'number'> {
  const first = part.frames[0];
  const { instance } = first;
  const localiser = isLocaliser(first);
  const findings = [...mixed, ...part.findings];
  if (localiser)
    findings.push({
      kind: 'localiser',
      severity: 'warning',
      message: 'These are localiser images (ImageType LOCALIZER), not a volume of the patient.',
    });
  return {
    StudyInstanceUID: instance.StudyInstanceUID,
    SeriesInstanceUID: instance.SeriesInstanceUID,
    FrameOfReferenceUID: instance.FrameOfReferenceUID,
    Modality: instance.Modality,
    SeriesNumber: seriesNumber(first),
    SeriesDescription: instance.header.string('SeriesDescription'),
    rows: first.rows,
    columns: first.columns,
    part: count > 1 ? { index: index + 1, count, label: part.label } : undefined,
    localiser,
    derived: instance.ImageType.includes('DERIVED') || instance.ImageType.includes('SECONDARY'),
    frames: part.frames,
    findings,
  };
}

export function isLocaliser(frame: Frame): boolean {
  return frame.instance.ImageType.includes('LOCALIZER');
}

/** Unreadable decimal text in an attribute that serves order only is no reason to refuse an image. */
function seriesNumber(frame: Frame): number | undefined {
  const text = frame.instance.header.string('SeriesNumber');
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) ? value : undefined;
}

/** Largest group first; equal sizes by their first frame. Orientation and spacing are compared within tolerance. */
function splitByGrid(members: readonly Frame[]): readonly (readonly Frame[])[] {
  const exact = new Map<string, Frame[]>();
  for (const frame of members) {
    const { instance } = frame;
    const key = [frame.rows, frame.columns, instance.FrameOfReferenceUID, isLocaliser(frame), instance.samplesPerPixel];
    pushTo(exact, [...key, frame.tile !== undefined].join('|'), frame);
  }
  const groups: Frame[][] = [];
  for (const group of exact.values()) {
    const alike: Frame[][] = [];
    for (const frame of group) {
      const home = alike.find((other) => samePlane(other[0], frame));
      if (home) home.push(frame);
      else alike.push([frame]);
    }
    groups.push(...alike.flatMap(splitByStack));
  }
  return groups.sort((a, b) => b.length - a.length || compareFrames(a[0], b[0]));
}

/** Stacks of an enhanced object (PS3.3 C.7.6.16.2.2.4) are blocks of slices of their own; a stack per frame says nothing. */
function splitByStack(frames: Frame[]): readonly Frame[][] {
  if (!isMultiFrame(frames[0])) return [frames];
  const stacks = new Map<string, Frame[]>();
  for (const frame of frames) pushTo(stacks, frame.keys.stack ?? '', frame);
  const blocks = [...stacks.values()];
  return blocks.every((block) => block.length > 1) ? blocks : [frames];
}

export function samePlane(a: Frame, b: Frame): boolean {
  return (
    close(a.rowDirection, b.rowDirection, SAME_ORIENTATION) &&
    close(a.columnDirection, b.columnDirection, SAME_ORIENTATION) &&
    close(a.pixelSpacing, b.pixelSpacing, SAME_SPACING_MM)
  );
}

function close(a: readonly number[] | undefined, b: readonly number[] | undefined, tolerance: number): boolean {
  if (!a || !b) return a === b;
  return a.every((value, index) => Math.abs(value - b[index]) <= tolerance);
}

function gridLabel(frames: readonly Frame[]): string {
  const [first] = frames;
  const plane = first.rowDirection && first.columnDirection ? planeName(first.rowDirection, first.columnDirection) : '';
  const kind = isLocaliser(first) ? 'localiser' : plane;
  const count = `${frames.length} image${frames.length === 1 ? '' : 's'}`;
  return [count, `${first.columns} × ${first.rows}`, kind].filter(Boolean).join(' ');
}

/** By the axis that the normal is nearest to. */
function planeName(row: Vector3, column: Vector3): string {
  const normal = [
    Math.abs(row[1] * column[2] - row[2] * column[1]),
    Math.abs(row[2] * column[0] - row[0] * column[2]),
    Math.abs(row[0] * column[1] - row[1] * column[0]),
  ];
  const largest = Math.max(...normal);
  if (largest < 0.8) return 'oblique';
  return ['sagittal', 'coronal', 'axial'][normal.indexOf(largest)];
}

function pushTo(groups: Map<string, Frame[]>, key: string, frame: Frame): void {
  const group = groups.get(key);
  if (group) group.push(frame);
  else groups.set(key, [frame]);
}

/** By UID and frame; the name only parts files that say the same of themselves, which no result can tell apart. */
export function compareFrames(a: Frame, b: Frame): number {
  return (
    compareText(a.instance.SOPInstanceUID, b.instance.SOPInstanceUID) ||
    a.index - b.index ||
    (a.tile?.row ?? 0) - (b.tile?.row ?? 0) ||
    (a.tile?.column ?? 0) - (b.tile?.column ?? 0) ||
    compareText(String(a.position), String(b.position)) ||
    compareText(a.instance.header.string('InstanceNumber') ?? '', b.instance.header.string('InstanceNumber') ?? '') ||
    compareText(a.instance.source.name, b.instance.source.name)
  );
}

function compareSeries(a: Omit<Series, 'number'>, b: Omit<Series, 'number'>): number {
  return (
    compareText(a.StudyInstanceUID, b.StudyInstanceUID) ||
    (a.SeriesNumber ?? UNNUMBERED) - (b.SeriesNumber ?? UNNUMBERED) ||
    compareText(a.SeriesInstanceUID, b.SeriesInstanceUID) ||
    compareText(a.Modality, b.Modality) ||
    (a.part?.index ?? 0) - (b.part?.index ?? 0)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
