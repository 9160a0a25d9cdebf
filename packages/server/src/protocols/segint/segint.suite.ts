/** A server that speaks SegInt, and a client of its own messages, for tests. */
import { gzipSync } from 'node:zlib';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { decodeMessage } from '../../registry/segint/decode-message.js';
import {
  type ModelInputChannelSchema,
  ModelInputSchema,
  type ModelOutput,
  ModelOutputSchema,
  type SegmentationProgress,
  SegmentationProgressSchema,
  SegmentationTaskSchema,
} from '../../registry/segint/messages/Model.generated.js';
import type { RestServer, RestServerOptions } from '../../rest/rest-server.suite.js';
import { protocolServer } from '../protocol-server.suite.js';
import { segint } from './segint.js';

export const PHANTOM_ID = 'Centered Orange Square';
export const PROTOBUF = 'application/x-protobuf';
const PATIENCE_MS = 60_000;

export async function segintServer(options: RestServerOptions = {}, mode?: 'strict'): Promise<RestServer> {
  const flags = { ...(mode ? { protocols: JSON.stringify({ segint: { mode } }) } : {}), ...options.flags };
  // Kept-alive connections of fetch are not to hold up the end of a test.
  return protocolServer([segint], { ...options, limits: { idleMs: 1_000, ...options.limits }, flags });
}

/** Deterministic voxels that look like nothing and do not pack to nothing. */
export function noise(voxels: number): Int16Array {
  let state = 12_345;
  return Int16Array.from({ length: voxels }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return (state >>> 20) - 1024;
  });
}

export const bytesOf = (voxels: Int16Array): Buffer => Buffer.from(voxels.buffer, voxels.byteOffset, voxels.byteLength);

export interface ChannelWish {
  readonly id?: string;
  readonly data?: Uint8Array;
  readonly spacing?: readonly [number, number, number];
}

export function channel(
  [Width, Height, Depth]: readonly [number, number, number],
  { id = '1', data, spacing = [1, 1, 1] }: ChannelWish = {},
): MessageInitShape<typeof ModelInputChannelSchema> {
  const [X, Y, Z] = spacing;
  return {
    ChannelID: id,
    VolumeID: 'DOE^JOHN',
    CalibratedVolume: {
      Volume: { Width, Height, Depth, Data: data ?? gzipSync(bytesOf(noise(Width * Height * Depth)), { level: 1 }) },
      DataTransform: {
        XAxisDirection: { X: 1 },
        YAxisDirection: { Y: 1 },
        ZAxisDirection: { Z: 1 },
        VoxelScalingInMM: { X, Y, Z },
        Origin: { X: -100, Y: -80, Z: 30 },
      },
    },
  };
}

export function inputOf(...channels: MessageInitShape<typeof ModelInputChannelSchema>[]): Uint8Array<ArrayBuffer> {
  const message = create(ModelInputSchema, { ClientInformation: { SoftwareVersion: '1.0.0' }, Channels: channels });
  return Uint8Array.from(toBinary(ModelInputSchema, message));
}

export class SegintClient {
  readonly #server: Pick<RestServer, 'url' | 'logged'>;
  readonly #url: string;
  readonly #model: string;

  constructor(server: Pick<RestServer, 'url' | 'logged'>, model = PHANTOM_ID) {
    this.#server = server;
    this.#url = server.url;
    this.#model = encodeURIComponent(model);
  }

  ask(method: string, path: string, init: RequestInit & { readonly accept?: string } = {}): Promise<Response> {
    const { accept = PROTOBUF, ...rest } = init;
    const headers = { accept, ...(init.body ? { 'content-type': PROTOBUF } : {}), ...init.headers };
    return fetch(`${this.#url}${path}`, { redirect: 'manual', ...rest, method, headers });
  }

  get path(): string {
    return `/api/v2/Model/${this.#model}/segmentation`;
  }

  post(body: Uint8Array<ArrayBuffer>, accept = PROTOBUF): Promise<Response> {
    return this.ask('POST', this.path, { body, accept, headers: { 'content-type': PROTOBUF } });
  }

  /** The id of an accepted job. */
  async start(body: Uint8Array<ArrayBuffer>): Promise<string> {
    const answer = await this.post(body);
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    return decodeMessage(SegmentationTaskSchema, await bytes(answer)).SegmentationID;
  }

  /** Its last progress: 100, or one with an error. */
  async ended(id: string): Promise<SegmentationProgress> {
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; ) {
      const answer = await this.ask('GET', `${this.path}/${id}`);
      const progress = decodeMessage(SegmentationProgressSchema, await bytes(answer));
      if (answer.status !== 200 || progress.Progress === 100 || progress.ErrorCode !== 0) return progress;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('the segmentation did not end');
  }

  async result(id: string): Promise<ModelOutput> {
    const answer = await this.ask('GET', `${this.path}/${id}/result`);
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    const output = decodeMessage(ModelOutputSchema, await bytes(answer));
    // Also so that no test ends its server in the moment in which the answer does.
    const { status } = await this.ask('GET', `${this.path}/${id}`);
    if (status !== 400) throw new Error(`a fetched result is still there: ${status} ${this.#server.logged.join('')}`);
    return output;
  }

  async segment(body: Uint8Array<ArrayBuffer>): Promise<ModelOutput> {
    const id = await this.start(body);
    const progress = await this.ended(id);
    if (progress.Progress !== 100) throw new Error(`${progress.ErrorCode} ${progress.Errors}`);
    return this.result(id);
  }
}

export async function bytes(answer: Response): Promise<Uint8Array> {
  return new Uint8Array(await answer.arrayBuffer());
}
