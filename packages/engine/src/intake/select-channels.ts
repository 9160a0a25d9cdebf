/**
 * From a study to what the model is given: which series (or file) is which channel, with the reasons as sentences; all
 * channels on the grid of the first.
 */
import type { Finding, ReferenceSeries } from '@isocenter/dicom';
import { resample, sameGrid, type Volume, type Watch } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import type { ModelChannel, ModelInput } from '../model-input.js';
import { IntakeError } from './intake-error.js';
import type { Study } from './open-study.js';
import { selectFiles } from './select-files.js';
import { selectSeries } from './select-series.js';

export type BundleChannel = Bundle['isocenter']['channels'][number];

export interface ChannelWish {
  /** Series (number of the scan or Series Instance UID) for a model of one channel. */
  readonly series?: string | number;
  /** The same by channel name, for models of several. */
  readonly channels?: Readonly<Record<string, string | number>>;
  /** Equally good series: error (default), or the first. */
  readonly ties?: 'error' | 'first';
  /** Damaged files: error (default), or leave them out. */
  readonly damaged?: 'error' | 'ignore';
  /** Uneven slices: refuse (default), or take the longest even run. */
  readonly irregular?: 'refuse' | 'longest-run';
}

/** One channel as it was found, before it is brought onto the common grid. */
export interface FoundChannel {
  readonly channel: BundleChannel;
  readonly volume: Volume;
  readonly modality?: string;
  readonly units?: string;
  readonly reference?: ReferenceSeries;
}

export interface SelectedChannels {
  readonly input: ModelInput;
  /** Images of the first channel; absent for NIfTI and NRRD. */
  readonly reference?: ReferenceSeries;
  /** Sentences for people: which series, why, what was resampled. */
  readonly reasons: readonly string[];
  readonly findings: readonly Finding[];
}

/** Throws IntakeError, SeriesError, DicomError, the abort reason. */
export async function selectChannels(
  study: Study,
  bundle: Bundle,
  wish: ChannelWish = {},
  watch: Watch = {},
): Promise<SelectedChannels> {
  checkWish(study, bundle, wish);
  const reasons: string[] = [];
  const findings: Finding[] = [];
  const found =
    study.kind === 'dicom'
      ? await selectSeries(study.scan, bundle, wish, reasons, findings, watch)
      : selectFiles(study.images, bundle, reasons);
  const [first] = found;
  const channels = found.map((each): ModelChannel => {
    const { channel, modality, units } = each;
    return { name: channel.name, volume: onGridOf(first, each, reasons), modality, units };
  });
  return { input: { channels }, ...(first.reference ? { reference: first.reference } : {}), reasons, findings };
}

/** A wish that cannot be followed is an error: silence would segment another series than the one that was asked for. */
function checkWish(study: Study, bundle: Bundle, wish: ChannelWish): void {
  const names = bundle.isocenter.channels.map(({ name }) => name);
  const unknown = Object.keys(wish.channels ?? {}).filter((name) => !names.includes(name));
  const next = `Channels of ${bundle.name}:${bundle.version}: ${names.join(', ')}.`;
  if (unknown.length > 0)
    throw new IntakeError('wrong-channels', `A series was named for '${unknown[0]}', a channel the model has not`, {
      where: 'choice of series',
      next,
    });
  if (wish.series !== undefined && names.length > 1)
    throw new IntakeError('wrong-channels', 'One series was named, and the model takes several', {
      where: 'choice of series',
      next: `Name a series for each. ${next}`,
    });
  if (study.kind === 'volume' && (wish.series !== undefined || Object.keys(wish.channels ?? {}).length > 0))
    throw new IntakeError('wrong-channels', 'A series was named, and the input is no DICOM', {
      where: 'choice of series',
      next: 'Give the file that is meant, without naming a series.',
    });
}

/** The channel on the first one's grid; linear, background as at the border of its own images. */
function onGridOf(first: FoundChannel, each: FoundChannel, reasons: string[]): Volume {
  if (each === first || sameGrid(each.volume, first.volume)) return each.volume;
  const here = first.reference?.FrameOfReferenceUID;
  const there = each.reference?.FrameOfReferenceUID;
  if (here !== there || here === '')
    throw new IntakeError(
      'different-space',
      `The channels '${first.channel.name}' and '${each.channel.name}' have different grids and no common frame of reference`,
      {
        where: `channel ${each.channel.name}`,
        next: 'Give series of one examination, or register the second to the first and give both as NIfTI on one grid.',
      },
    );
  reasons.push(`Channel '${each.channel.name}' was resampled (linear) to the grid of '${first.channel.name}'.`);
  return resample(each.volume, first.volume);
}
