/**
 * The ModelOutput of a job: written field by field, so that the gzipped masks of the engine go into it as they are; with
 * the plan of its JSON form, whose base64 is made while it is sent.
 */

import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { create, type MessageInitShape, toBinary, toJson } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Extent } from '../../registry/segint/message-walker.js';
import { ModelOutputSchema, StructureSchema } from '../../registry/segint/messages/Model.generated.js';
import { VolumeData3D_DataTypes, VolumeData3DSchema } from '../../registry/segint/messages/Primitives3D.generated.js';
import type { Size } from './input-volume.js';

export interface OutputChannel {
  readonly structure: MessageInitShape<typeof StructureSchema>;
  readonly size: Size;
  /** File of gzipped bytes. */
  readonly maskPath: string;
}

export type OutputHead = Pick<
  MessageInitShape<typeof ModelOutputSchema>,
  'ModelID' | 'ProcesserVersion' | 'LanguageCode'
>;

/** JSON is `texts[0]`, the base64 of `data[0]`, `texts[1]`, …, `texts[data.length]`. */
export interface OutputPlan {
  readonly texts: readonly string[];
  readonly data: readonly Extent[];
}

const FIELD = { channels: 1, structure: 1, volume: 2, data: 4 };
const AS_NAMED = { useProtoFieldName: true };

export async function writeOutputMessage(
  path: string,
  channels: readonly OutputChannel[],
  head: OutputHead,
): Promise<OutputPlan> {
  const data: Extent[] = [];
  const pieces: string[] = [];
  const file = await open(path, 'wx');
  try {
    let at = 0;
    for (const { structure, size, maskPath } of channels) {
      const length = (await stat(maskPath)).size;
      const { before, after } = envelope(structure, size, length);
      await file.write(before);
      await append(file, maskPath);
      await file.write(after);
      data.push({ at: at + before.length, length });
      at += before.length + length + after.length;
      pieces.push(channelJson(structure, size));
    }
    await file.write(toBinary(ModelOutputSchema, create(ModelOutputSchema, head)));
  } finally {
    await file.close();
  }
  return { texts: textsOf(pieces, head), data };
}

/** What stands around the mask of one channel. */
function envelope(structure: OutputChannel['structure'], size: Size, length: number) {
  const structureBytes = toBinary(StructureSchema, create(StructureSchema, structure));
  const [Width, Height, Depth] = size;
  const sizes = toBinary(VolumeData3DSchema, create(VolumeData3DSchema, { Width, Height, Depth }));
  const dataHead = new BinaryWriter().tag(FIELD.data, WireType.LengthDelimited).uint32(length).finish();
  const after = toBinary(VolumeData3DSchema, create(VolumeData3DSchema, { DataType: VolumeData3D_DataTypes.Byte }));
  const volumeLength = sizes.length + dataHead.length + length + after.length;
  const inside = new BinaryWriter()
    .tag(FIELD.structure, WireType.LengthDelimited)
    .bytes(structureBytes)
    .tag(FIELD.volume, WireType.LengthDelimited)
    .uint32(volumeLength)
    .raw(sizes)
    .raw(dataHead)
    .finish();
  const before = new BinaryWriter()
    .tag(FIELD.channels, WireType.LengthDelimited)
    .uint32(inside.length + length + after.length)
    .raw(inside)
    .finish();
  return { before, after };
}

async function append(file: FileHandle, path: string): Promise<void> {
  for await (const chunk of createReadStream(path)) await file.write(chunk as Buffer);
}

const GAP = '"Data":"';

/** With an empty Data, at which it is cut. */
function channelJson(structure: OutputChannel['structure'], [Width, Height, Depth]: Size): string {
  const sizes = toJson(VolumeData3DSchema, create(VolumeData3DSchema, { Width, Height, Depth }), AS_NAMED);
  const volume = { ...(sizes as object), Data: '', DataType: VolumeData3D_DataTypes[VolumeData3D_DataTypes.Byte] };
  const said = toJson(StructureSchema, create(StructureSchema, structure), AS_NAMED);
  return JSON.stringify({ Structure: said, Volume: volume });
}

function textsOf(pieces: readonly string[], head: OutputHead): string[] {
  const tail = JSON.stringify(toJson(ModelOutputSchema, create(ModelOutputSchema, head), AS_NAMED));
  if (pieces.length === 0) return [tail];
  const texts = ['{"Channels":['];
  for (const [n, piece] of pieces.entries()) {
    // The last one: a name may hold the same letters, but what follows them there is escaped.
    const cut = piece.lastIndexOf(GAP) + GAP.length;
    texts[n] += `${n === 0 ? '' : ','}${piece.slice(0, cut)}`;
    texts.push(piece.slice(cut));
  }
  texts[pieces.length] += tail === '{}' ? ']}' : `],${tail.slice(1)}`;
  return texts;
}
