/**
 * Which channels of the message go into which run of the model. A model of one channel answers each channel of the message,
 * as the old server did; a model of several gets its channels by their ids. Strict mode takes exactly what the family asks for.
 */
import type { ModelFamily, ModelVersion } from '../../registry/model.js';
import type { InputChannel } from '../../registry/schemas.js';
import { checkConstraints } from './constraints.js';
import { SegintJobError } from './errors.js';
import type { ChannelOutline } from './input-message.js';
import { type Size, sizeOf } from './input-volume.js';

export interface RunChannel {
  readonly channel: ChannelOutline;
  readonly size: Size;
  /** For messages: never a text of the client. */
  readonly where: string;
  /** Place among the model's channels. */
  readonly position: number;
}

/** The first channel's grid is that of the masks. */
export type Run = readonly RunChannel[];

/** Every run is a run of the model; no planning station sends more than a few. */
const MOST_RUNS = 16;
/** As sizeOf has it for one. */
const MOST_VOXELS = 2 ** 30;

interface Wanted {
  /** SegInt's id, and the bundle's own name. */
  readonly ids: readonly string[];
  readonly optional: boolean;
  readonly rules: InputChannel | undefined;
}

/** Throws SegintJobError `wrong-channels`, `bad-volume`, `constraints`. */
export function planRuns(
  channels: readonly ChannelOutline[],
  version: ModelVersion,
  family: ModelFamily | undefined,
  strict: boolean,
): readonly Run[] {
  const wanted = version.channels.map((channel, n): Wanted => {
    const rules = family?.inputChannels[n];
    return { ids: [rules?.channelId ?? channel.name, channel.name], optional: channel.optional, rules };
  });
  const given = channels.map((channel, n) => {
    const where = `channel ${n + 1}`;
    return { channel, where, size: sizeOf(channel, where) };
  });
  const voxels = given.reduce((sum, { size }) => sum + size[0] * size[1] * size[2], 0);
  if (voxels > MOST_VOXELS)
    throw new SegintJobError(
      'bad-volume',
      `The channels have ${voxels} voxels together, at most ${MOST_VOXELS} are taken`,
    );
  const idOf = ({ channel }: { readonly channel: ChannelOutline }) => channel.ChannelID ?? '';
  if (strict) checkIds(given.map(idOf), wanted);
  if (wanted.length <= 1) {
    if (given.length > MOST_RUNS)
      throw new SegintJobError(
        'wrong-channels',
        `The message has ${given.length} channels, at most ${MOST_RUNS} are taken`,
      );
    if (strict) for (const each of given) checkConstraints(each.channel, each.size, wanted[0]?.rules, each.where);
    return given.map((each) => [{ ...each, position: 0 }]);
  }
  if (given.length === 0) return [];
  const run = wanted.flatMap((one, position) => {
    // Ids are not enforced in compat: as many channels as the model has are taken in their order.
    const byId = given.find((each) => one.ids.includes(idOf(each)));
    const each = byId ?? (given.length === wanted.length ? given[position] : undefined);
    if (!each && one.optional) return [];
    if (!each)
      throw new SegintJobError(
        'wrong-channels',
        `The model needs the channel '${one.ids[0]}', which the message has not`,
        {
          next: `Send the channels ${wanted.map(({ ids }) => ids[0]).join(', ')}.`,
        },
      );
    if (strict) checkConstraints(each.channel, each.size, one.rules, each.where);
    return [{ ...each, position }];
  });
  return [run];
}

function checkIds(ids: readonly string[], wanted: readonly Wanted[]): void {
  const next = `Send each of the channels ${wanted.map(({ ids: [id] }) => id).join(', ')} once.`;
  if (ids.length === 0) throw new SegintJobError('wrong-channels', 'The message has no channel', { next });
  if (new Set(ids).size !== ids.length)
    throw new SegintJobError('wrong-channels', 'Two channels of the message have one id', { next });
  if (ids.some((id) => !wanted.some((one) => one.ids[0] === id)))
    throw new SegintJobError('wrong-channels', 'The message has a channel that the model has not', { next });
}
