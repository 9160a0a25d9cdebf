/** DICOM series for the channels of a model: by wish, by folder, by modality and the bundle's constraints. */
import { type Assembly, chooseSeries, type Finding, loadVolume, type Scan, type Series } from '@isocenter/dicom';
import type { Watch } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import { sayableModality } from '../bundle/sayable.js';
import { channelFolders } from './channel-folders.js';
import { IntakeError } from './intake-error.js';
import type { BundleChannel, ChannelWish, FoundChannel } from './select-channels.js';

/** A channel and the series it gets, before any voxel is read. */
export interface ChosenChannel {
  readonly channel: BundleChannel;
  readonly assembly: Assembly;
}

/** Which series is which channel; optional channels that are not there are left out. Throws IntakeError, SeriesError. */
export function chooseChannels(scan: Scan, bundle: Bundle, wish: ChannelWish, reasons: string[]): ChosenChannel[] {
  if (scan.series.length === 0) throw noSeries(scan);
  const { channels } = bundle.isocenter;
  const byChannel = channels.length === 1 ? [scan.series] : seriesByChannel(scan, bundle, wish, reasons);
  const chosen: ChosenChannel[] = [];
  for (const [n, channel] of channels.entries()) {
    const series = byChannel[n];
    if (series === undefined) continue;
    const wanted = wish.channels?.[channel.name] ?? (channels.length === 1 ? wish.series : undefined);
    const fitting = wanted === undefined ? fittingSeries(series, channel, bundle, reasons) : series;
    const { assembly, reasons: why } = chooseSeries(
      { ...scan, series: fitting },
      {
        modality: channel.modalities,
        ...(typeof wanted === 'number' ? { number: wanted } : {}),
        ...(typeof wanted === 'string' ? { SeriesInstanceUID: wanted } : {}),
        ties: wish.ties,
        damaged: wish.damaged,
        among: series,
        assemble: { irregular: wish.irregular },
      },
    );
    const prefix = channels.length > 1 ? `Channel '${channel.name}': ` : '';
    reasons.push(...why.map((reason) => prefix + reason));
    chosen.push({ channel, assembly });
  }
  return chosen;
}

/** Chooses and loads. Throws also what loading throws. */
export async function selectSeries(
  scan: Scan,
  bundle: Bundle,
  wish: ChannelWish,
  reasons: string[],
  findings: Finding[],
  watch: Watch,
): Promise<FoundChannel[]> {
  const found: FoundChannel[] = [];
  for (const { channel, assembly } of chooseChannels(scan, bundle, wish, reasons)) {
    const loaded = await loadVolume(assembly, channel.units === 'SUVbw' ? { suv: 'bw' } : {}, watch);
    findings.push(...loaded.findings);
    const { volume, units, reference } = loaded;
    found.push({ channel, volume, units, reference, modality: reference.Modality });
  }
  return found;
}

export function noSeries(scan: Scan): Error {
  if (scan.refused.length > 0) return scan.refused[0].failure;
  const kinds = [...new Set(scan.objects.map(({ kind }) => kind))].join(', ');
  return new IntakeError('no-images', 'The study holds no image series', {
    where: `found: ${kinds || 'nothing'}`,
    next: 'Add the images: structure sets, segmentations and reports alone cannot be segmented.',
  });
}

/** Modality and constraints first, so that a wrong study gets an answer in the model's words. */
export function fittingSeries(
  series: readonly Series[],
  channel: BundleChannel,
  bundle: Bundle,
  reasons: string[],
): readonly Series[] {
  const { modalities, constraints } = channel;
  if (modalities && !series.some(({ Modality }) => modalities.includes(Modality))) {
    const there = [...new Set(series.map(({ Modality }) => sayableModality(Modality)))].join(', ');
    throw new IntakeError(
      'wrong-modality',
      `The model ${bundle.name}:${bundle.version} needs ${modalities.join(' or ')} and the study holds ${there}`,
      {
        where: `channel ${channel.name}`,
        next: `Give a ${modalities.join(' or ')} series, or choose a model that was made for ${there}.`,
      },
    );
  }
  if (!constraints) return series;
  const fitting = series.filter((each) => unmet(each, constraints) === undefined);
  if (fitting.length > 0) {
    if (fitting.length < series.length)
      reasons.push(`${series.length - fitting.length} series do not fulfil what the model asks of '${channel.name}'.`);
    return fitting;
  }
  throw new IntakeError(
    'constraint',
    `No series fulfils what ${bundle.name}:${bundle.version} asks of its channel '${channel.name}'`,
    {
      where: `attribute ${unmet(series[0], constraints)}`,
      next: 'Give a series as the bundle describes it (isocenter.channels[].constraints).',
    },
  );
}

/** The first keyword whose value is none of those asked for. */
function unmet(series: Series, constraints: NonNullable<BundleChannel['constraints']>): string | undefined {
  const { header } = series.frames[0].instance;
  return Object.keys(constraints).find((keyword) => {
    const accepted = [constraints[keyword]].flat().map(String);
    const values = header.strings(keyword as Parameters<typeof header.strings>[0]).map(String);
    return !values.some((value) => accepted.includes(value) || accepted.includes(String(Number(value))));
  });
}

/** Candidates of each channel; undefined for an optional channel that is not there. */
function seriesByChannel(
  scan: Scan,
  bundle: Bundle,
  wish: ChannelWish,
  reasons: string[],
): (readonly Series[] | undefined)[] {
  const { channels } = bundle.isocenter;
  const names = channels.map(({ name }) => name);
  if (wish.channels && names.some((name) => wish.channels?.[name] !== undefined))
    return channels.map(({ name, optional }) =>
      wish.channels?.[name] === undefined && optional ? undefined : scan.series,
    );
  const files = scan.series.flatMap((series) =>
    series.frames.map(({ instance }) => ({ series, name: instance.source.name })),
  );
  const folders = channelFolders(
    files.map(({ name }) => name),
    names,
  );
  const lower = folders.map((folder) => folder.toLowerCase());
  if (!names.some((name) => lower.includes(name.toLowerCase()))) {
    if (lower.every((folder) => folder === '')) return byModality(scan, bundle, reasons);
    throw wrongChannels(
      bundle,
      [...new Set(folders)].filter((folder) => folder !== ''),
    );
  }
  return channels.map(({ name, optional }) => {
    const inside = new Set(files.filter((_, n) => lower[n] === name.toLowerCase()).map(({ series }) => series));
    if (inside.size > 0) return [...inside];
    if (optional) return undefined;
    throw wrongChannels(
      bundle,
      [...new Set(folders)].filter((folder) => folder !== ''),
      name,
    );
  });
}

/** Without folders: each channel gets the series of its modality, when no two channels share one. */
function byModality(scan: Scan, bundle: Bundle, reasons: string[]): (readonly Series[] | undefined)[] {
  const { channels } = bundle.isocenter;
  const all = channels.flatMap(({ modalities }) => modalities ?? ['']);
  if (all.includes('') || new Set(all).size < all.length) throw wrongChannels(bundle, []);
  reasons.push('The files are in no folders; channels were told apart by their modality.');
  return channels.map(({ name, modalities, optional }) => {
    const fitting = scan.series.filter(({ Modality }) => modalities?.includes(Modality));
    if (fitting.length > 0) return fitting;
    if (optional) return undefined;
    throw new IntakeError('missing-channel', `There are no images for the channel '${name}'`, {
      where: `channel ${name}`,
      next: `Add a ${modalities?.join(' or ')} series.`,
    });
  });
}

function wrongChannels(bundle: Bundle, folders: readonly string[], missing?: string): IntakeError {
  const names = bundle.isocenter.channels.map(({ name }) => name);
  // Not which: folders of an upload are often named after patients.
  const strange = folders.filter((folder) => !names.some((name) => name.toLowerCase() === folder.toLowerCase())).length;
  const there = strange > 0 ? `${strange} folder${strange === 1 ? '' : 's'} of other names` : 'no folders for them';
  return new IntakeError(
    missing === undefined ? 'wrong-channels' : 'missing-channel',
    missing === undefined
      ? `The model ${bundle.name}:${bundle.version} needs the channels ${names.join(', ')}; the input has ${there}`
      : `The channel '${missing}' of ${bundle.name}:${bundle.version} has no images; the input has ${there}`,
    {
      where: missing === undefined ? 'folders of the input' : `channel ${missing}`,
      next: `Put the images of each channel into a folder of its name: ${names.map((name) => `${name}/…`).join(', ')}.`,
    },
  );
}
