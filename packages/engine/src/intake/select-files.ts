/** NIfTI and NRRD files for the channels of a model: by folder, file name, nnU-Net's number, or order in a 4-D file. */
import type { Volume } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import { channelFolders, fileStem } from './channel-folders.js';
import { IntakeError } from './intake-error.js';
import type { ImageFile } from './open-study.js';
import type { BundleChannel, FoundChannel } from './select-channels.js';

/** Such files do not say what was measured: modality and unit are taken on trust, and the reasons say so. */
export function selectFiles(images: readonly ImageFile[], bundle: Bundle, reasons: string[]): FoundChannel[] {
  const { channels } = bundle.isocenter;
  const found = (channel: BundleChannel, volume: Volume): FoundChannel => ({
    channel,
    volume,
    ...(channel.modalities?.length === 1 ? { modality: channel.modalities[0] } : {}),
    ...(channel.units ? { units: channel.units } : {}),
  });
  const trust = channels.flatMap(({ modalities, units }) => [modalities?.join(' or '), units].filter(Boolean));
  if (trust.length > 0)
    reasons.push(`The file does not say what it shows; it was taken for ${[...new Set(trust)].join(', ')}.`);
  if (images.length === 1) {
    const [image] = images;
    if (image.channels.length === channels.length)
      return channels.map((channel, n) => found(channel, image.channels[n]));
    throw new IntakeError(
      'wrong-channels',
      `The model needs ${channels.length} channel${channels.length === 1 ? '' : 's'}, the image has ${image.channels.length}`,
      {
        where: 'image channels',
        next: `Give the channels ${channels.map(({ name }) => name).join(', ')}, in this order.`,
      },
    );
  }
  if (channels.length === 1)
    throw new IntakeError('several-images', `The input holds ${images.length} images and the model takes one`, {
      next: 'Give the one file that is meant; inspect lists them.',
    });
  const folders = channelFolders(
    images.map(({ name }) => name),
    channels.map(({ name }) => name),
  );
  return channels.flatMap((channel, n) => {
    const image = images.find((each, at) => belongs(each, folders[at], channel.name, n));
    if (image && image.channels.length === 1) return [found(channel, image.channels[0])];
    if (channel.optional) return [];
    throw new IntakeError('missing-channel', `There is no single image for the channel '${channel.name}'`, {
      where: `${images.length} files of other names, or of several channels`,
      next: `Name the files after the channels: ${channels.map(({ name }) => `${name}.nii.gz`).join(', ')}.`,
    });
  });
}

/** Digits of nnU-Net's channel suffix: case_0000.nii.gz. */
const SUFFIX_DIGITS = 4;

function belongs(image: ImageFile, folder: string, channel: string, n: number): boolean {
  const stem = fileStem(image.name).toLowerCase();
  const name = channel.toLowerCase();
  const number = `_${String(n).padStart(SUFFIX_DIGITS, '0')}`;
  return folder.toLowerCase() === name || stem === name || stem.endsWith(`_${name}`) || stem.endsWith(number);
}
