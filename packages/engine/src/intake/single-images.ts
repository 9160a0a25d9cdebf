/**
 * For models that are shown one image at a time: every image of the study that fits, each by itself. Radiographs lie nowhere
 * in the patient, so no order among them and no common grid is asked for; planes of a volume file count as images.
 */
import { chooseSeries, type Finding, loadVolume, type Scan, type Series } from '@isocenter/dicom';
import { makeVolume, type Volume, type Watch } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import type { ModelInput } from '../model-input.js';
import { IntakeError } from './intake-error.js';
import type { Study } from './open-study.js';
import { type ChannelWish, selectChannels } from './select-channels.js';
import { fittingSeries, noSeries } from './select-series.js';

/** An image of a DICOM study; frames count from 1. */
export interface ImageOfStudy {
  readonly SOPInstanceUID: string;
  readonly frameNumber?: number;
}

/** One image that the model will be asked about. Nothing is decoded before `load`. */
export interface SingleImage {
  readonly SeriesInstanceUID?: string;
  readonly image?: ImageOfStudy;
  /** Plane of a volume, from 0. */
  readonly plane?: number;
  load(watch: Watch): Promise<ModelInput>;
}

export interface SingleImages {
  readonly images: readonly SingleImage[];
  readonly reasons: string[];
  /** Grows while the images are loaded. */
  readonly findings: Finding[];
}

/** Each one costs a run of the network and a line of the answer. */
export const MOST_IMAGES = 4096;

/** Where the images do not say it and the model does not ask: a radiograph is looked at pixel by pixel. */
const UNIT_SPACING = [1, 1] as const;

/** The study stays open until the last image is loaded. Throws IntakeError, SeriesError, what selectChannels throws. */
export async function singleImages(
  study: Study,
  bundle: Bundle,
  wish: ChannelWish = {},
  watch: Watch = {},
): Promise<SingleImages> {
  const found =
    study.kind === 'dicom' && bundle.isocenter.channels.length === 1
      ? imagesOfScan(study.scan, bundle, wish)
      : await planesOf(study, bundle, wish, watch);
  if (found.images.length > MOST_IMAGES)
    throw new IntakeError(
      'too-many-images',
      `The study holds ${found.images.length} images that the model could be asked about; ${MOST_IMAGES} are the most`,
      { where: 'images', next: 'Name one series, or send fewer images.' },
    );
  return found;
}

function imagesOfScan(scan: Scan, bundle: Bundle, wish: ChannelWish): SingleImages {
  if (scan.series.length === 0) throw noSeries(scan);
  const [channel] = bundle.isocenter.channels;
  const reasons: string[] = [];
  const findings: Finding[] = [];
  const wanted = wish.channels?.[channel.name] ?? wish.series;
  const named = wanted === undefined ? scan.series : scan.series.filter((series) => isNamed(series, wanted));
  // Says which series there are.
  if (wanted !== undefined && named.length === 0)
    chooseSeries(scan, typeof wanted === 'number' ? { number: wanted } : { SeriesInstanceUID: wanted });
  const fitting =
    wanted === undefined ? withoutLocalisers(fittingSeries(named, channel, bundle, reasons), reasons) : named;
  const single = (series: Series, frame: Series['frames'][number]): SingleImage => ({
    SeriesInstanceUID: series.SeriesInstanceUID,
    image: {
      SOPInstanceUID: frame.instance.SOPInstanceUID,
      ...(frame.instance.frames > 1 ? { frameNumber: frame.index + 1 } : {}),
    },
    async load(watch) {
      const { assembly } = chooseSeries(
        { ...scan, series: [{ ...series, frames: [frame] }] },
        {
          modality: channel.modalities,
          damaged: wish.damaged,
          ...(bundle.isocenter.expectedSpacing ? {} : { assemble: { pixelSpacing: UNIT_SPACING } }),
        },
      );
      const loaded = await loadVolume(assembly, channel.units === 'SUVbw' ? { suv: 'bw' } : {}, watch);
      findings.push(
        ...loaded.findings.filter((finding) => !findings.some(({ message }) => message === finding.message)),
      );
      return {
        channels: [
          { name: channel.name, volume: loaded.volume, modality: loaded.reference.Modality, units: loaded.units },
        ],
      };
    },
  });
  const of = fitting.filter(({ Modality }) => wanted !== undefined || (channel.modalities?.includes(Modality) ?? true));
  return { images: of.flatMap((series) => series.frames.map((frame) => single(series, frame))), reasons, findings };
}

function isNamed(series: Series, wanted: string | number): boolean {
  return typeof wanted === 'number' ? series.number === wanted : series.SeriesInstanceUID === wanted;
}

function withoutLocalisers(series: readonly Series[], reasons: string[]): readonly Series[] {
  const others = series.filter(({ localiser }) => !localiser);
  if (others.length === 0 || others.length === series.length) return series;
  reasons.push(`${series.length - others.length} series of localiser images were left out.`);
  return others;
}

/** Several channels, or no DICOM: the volume plane by plane. */
async function planesOf(study: Study, bundle: Bundle, wish: ChannelWish, watch: Watch): Promise<SingleImages> {
  const { input, reference, reasons, findings } = await selectChannels(study, bundle, wish, watch);
  const [{ volume: grid }] = input.channels;
  const images = Array.from({ length: grid.size[2] }, (_, plane): SingleImage => {
    const slice = reference?.slices[plane];
    const { SOPInstanceUID = '', frameNumber } = slice ?? {};
    return {
      plane,
      ...(reference ? { SeriesInstanceUID: reference.SeriesInstanceUID } : {}),
      ...(slice ? { image: { SOPInstanceUID, ...(frameNumber === undefined ? {} : { frameNumber }) } } : {}),
      load: async () => ({
        channels: input.channels.map((channel) => ({ ...channel, volume: planeOf(channel.volume, plane) })),
      }),
    };
  });
  return { images, reasons: [...reasons], findings: [...findings] };
}

/** A copy of the plane, lying where it lies in the volume. */
function planeOf({ data, size, affine }: Volume, plane: number): Volume {
  const [columns, rows] = size;
  const area = columns * rows;
  const moved = [...affine];
  for (const row of [0, 4, 8]) moved[row + 3] += plane * affine[row + 2];
  return makeVolume(data.slice(plane * area, (plane + 1) * area), [columns, rows, 1], moved);
}
