/** What is in an input and what is wrong with it, without loading voxels: the answer of `isocenter inspect`. */
import {
  type Assembly,
  assembleSeries,
  chooseSeries,
  type DicomObject,
  type Finding,
  type Scan,
  seriesTitle,
} from '@isocenter/dicom';
import { axisCodesOf, type Failure, isFailure, spacingOf, type Watch } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import { openStudy, type Study } from './open-study.js';
import { chooseChannels } from './select-series.js';

export interface InspectedSeries {
  readonly number: number;
  readonly title: string;
  readonly SeriesInstanceUID: string;
  readonly Modality: string;
  readonly SeriesDescription?: string;
  readonly images: number;
  /** Voxels along i, j, k; absent when no grid can be given. */
  readonly size?: readonly number[];
  /** mm along i, j, k. */
  readonly spacing?: readonly number[];
  /** Directions in which i, j, k grow, such as LPS. */
  readonly axes?: string;
  readonly localiser: boolean;
  readonly usable: boolean;
  readonly findings: readonly Finding[];
}

export interface InspectReport {
  readonly kind: 'inspection';
  readonly origin: Study['origin'];
  readonly series: readonly InspectedSeries[];
  readonly objects: readonly { readonly kind: string; readonly source: string; readonly SOPInstanceUID: string }[];
  readonly images: readonly {
    readonly name: string;
    readonly format: string;
    readonly channels: number;
    readonly size: readonly number[];
    readonly spacing: readonly number[];
    readonly axes: string;
  }[];
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
  readonly refused: readonly {
    readonly name: string;
    readonly kind: string;
    readonly message: string;
    readonly next?: string;
  }[];
  /** Which series the model would take, or why none; without a model, which one would be taken where nothing is asked for. */
  readonly choice?: {
    readonly model?: string;
    readonly reasons: readonly string[];
    readonly failure?: { readonly kind: string; readonly message: string; readonly next?: string };
  };
}

/** Throws what `openStudy` throws; everything else that is wrong stands in the report. */
export async function inspectStudy(
  input: string | Uint8Array,
  bundle?: Bundle,
  watch: Watch = {},
): Promise<InspectReport> {
  const study = await openStudy(input, {}, watch);
  try {
    const base = { kind: 'inspection' as const, origin: study.origin };
    if (study.kind === 'volume') {
      const images = study.images.map(({ name, format, channels }) => ({
        name,
        format,
        channels: channels.length,
        ...describeGrid(channels[0]),
      }));
      return { ...base, series: [], objects: [], images, ignored: [], refused: [] };
    }
    const { scan } = study;
    return {
      ...base,
      series: scan.series.map((series) => describeSeries(assembleSeries(series))),
      objects: scan.objects.map(describeObject),
      images: [],
      ignored: scan.ignored,
      refused: scan.refused.map(({ name, failure }) => ({ name, ...describe(failure) })),
      ...(scan.series.length > 0 || bundle ? { choice: choiceFor(scan, bundle) } : {}),
    };
  } finally {
    await study.close();
  }
}

function choiceFor(scan: Scan, bundle?: Bundle): InspectReport['choice'] {
  const model = bundle ? { model: `${bundle.name}:${bundle.version}` } : {};
  const reasons: string[] = [];
  try {
    if (bundle) chooseChannels(scan, bundle, {}, reasons);
    else reasons.push(...chooseSeries(scan).reasons);
    return { ...model, reasons };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { ...model, reasons, failure: describe(error) };
  }
}

function describeSeries(assembly: Assembly): InspectedSeries {
  const { series, grid, findings, usable } = assembly;
  const { number, SeriesInstanceUID, Modality, SeriesDescription, localiser } = series;
  return {
    number,
    title: seriesTitle(series),
    SeriesInstanceUID,
    Modality,
    ...(SeriesDescription ? { SeriesDescription } : {}),
    images: series.frames.length,
    ...(grid ? describeGrid(grid) : {}),
    localiser,
    usable,
    findings,
  };
}

function describeGrid({ size, affine }: { size: readonly number[]; affine: readonly number[] }) {
  return { size, spacing: spacingOf(affine), axes: axisCodesOf(affine) };
}

function describeObject({ kind, source, SOPInstanceUID }: DicomObject) {
  return { kind, source: source.name, SOPInstanceUID };
}

function describe({ kind, message, next }: Failure) {
  return { kind, message, ...(next ? { next } : {}) };
}
