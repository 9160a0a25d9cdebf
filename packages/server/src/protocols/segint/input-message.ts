/** The stored ModelInput of a job: its outline, read from the file without its voxels. */
import { open } from 'node:fs/promises';
import { malformed } from '../../registry/segint/message-error.js';
import { type Extent, MessageWalker } from '../../registry/segint/message-walker.js';
import { ModelInputSchema } from '../../registry/segint/messages/Model.generated.js';

export interface Point {
  readonly X?: number;
  readonly Y?: number;
  readonly Z?: number;
}

export interface Transform {
  readonly XAxisDirection?: Point;
  readonly YAxisDirection?: Point;
  readonly ZAxisDirection?: Point;
  readonly VoxelScalingInMM?: Point;
  readonly Origin?: Point;
}

/** Names and defaults of the wire: what is 0 or empty may be missing. */
export interface ChannelOutline {
  readonly ChannelID?: string;
  readonly CalibratedVolume?: {
    readonly Volume?: {
      readonly Width?: number;
      readonly Height?: number;
      readonly Depth?: number;
      readonly Data?: Extent;
      readonly DataType?: number;
      readonly CompressionMethod?: number;
    };
    readonly DataTransform?: Transform;
  };
}

const WINDOW = 64 * 1024;

/** Throws MessageError. */
export async function readInputMessage(path: string): Promise<readonly ChannelOutline[]> {
  const walker = new MessageWalker(ModelInputSchema);
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const window = Buffer.alloc(WINDOW);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(window, 0, WINDOW, at);
      if (bytesRead === 0) break;
      walker.push(window.subarray(0, bytesRead));
      at += bytesRead;
      if (walker.skipping > size - at) throw malformed(size, 'it is cut off');
      if (walker.skipping === 0) continue;
      at += walker.skipping;
      walker.jump();
    }
    walker.end();
  } finally {
    await file.close();
  }
  return (walker.outline.Channels ?? []) as unknown as readonly ChannelOutline[];
}

/** Checks a body while it goes to the store; throws MessageError before the last of it is taken. */
export async function* checkedInput(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const walker = new MessageWalker(ModelInputSchema);
  for await (const chunk of stream) {
    walker.push(chunk);
    yield chunk;
  }
  walker.end();
}
