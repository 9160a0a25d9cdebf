/** The table of specs/protocols.md 3.7 over HTTP, and the family that it belongs to. */
import { gunzipSync } from 'node:zlib';
import { toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage } from '../../registry/segint/decode-message.js';
import { ModelsCollectionSchema } from '../../registry/segint/messages/Model.generated.js';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { phantomFamily } from './phantom-family.js';
import { bytes, channel, inputOf, PHANTOM_ID, SegintClient, segintServer } from './segint.suite.js';

/** Inclusive ranges along x, y, z; undefined: no voxel. */
const TABLE: readonly [size: [number, number, number], x?: number[], y?: number[], z?: number[]][] = [
  [
    [512, 512, 100],
    [226, 285],
    [226, 285],
    [25, 74],
  ],
  [
    [128, 100, 8],
    [34, 93],
    [20, 79],
    [2, 5],
  ],
  [
    [61, 61, 9],
    [0, 59],
    [0, 59],
    [2, 5],
  ],
  [
    [59, 59, 7],
    [0, 58],
    [0, 58],
    [1, 2],
  ],
  [
    [58, 58, 4],
    [57, 57],
    [57, 57],
    [1, 2],
  ],
  [
    [40, 40, 4],
    [30, 39],
    [30, 39],
    [1, 2],
  ],
  [[64, 64, 3]],
  [[5, 7, 1]],
];

function expected([w, h, d]: readonly number[], x?: number[], y?: number[], z?: number[]): Buffer {
  const mask = Buffer.alloc(w! * h! * d!);
  if (x && y && z)
    for (let k = z[0]!; k <= z[1]!; k++)
      for (let j = y[0]!; j <= y[1]!; j++) mask.fill(1, x[0]! + w! * (j + h! * k), x[1]! + 1 + w! * (j + h! * k));
  return mask;
}

describe('the phantom over HTTP', () => {
  let server: RestServer;
  let client: SegintClient;

  beforeAll(async () => {
    server = await segintServer();
    client = new SegintClient(server);
  }, 60_000);
  afterAll(() => server.close());

  it('is offered as the old server offered it, byte for byte', async () => {
    const rest = server.client('administrator');
    for (const { id, name } of (await rest.models.list({})).items)
      if (name !== 'Phantom') await rest.models.retire({ model: id });
    const answer = await client.ask('GET', '/api/v2/Model/');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const collection = await bytes(answer);
    expect(collection).toHaveLength(401);
    expect(Buffer.from(collection.subarray(3)).equals(phantomFamily())).toBe(true);
    expect(phantomFamily()).toHaveLength(398);
  });

  it.each(TABLE)(
    'marks its block in %j',
    async (size, x, y, z) => {
      const output = await client.segment(inputOf(channel(size)));
      expect(output).toMatchObject({ ModelID: PHANTOM_ID, ProcesserVersion: '0.1', LanguageCode: 'en' });
      expect(output.Channels).toHaveLength(1);
      const [{ Structure, Volume }] = output.Channels as [(typeof output.Channels)[0]];
      expect(Structure).toMatchObject({ Name: 'liver', Color: { R: 255, G: 120, B: 0 }, Type: 1, FMACode: 4567 });
      expect(Structure).toMatchObject({ InputChannelID: '1', StructureID: '1' });
      expect(Volume).toMatchObject({
        Width: size[0],
        Height: size[1],
        Depth: size[2],
        DataType: 1,
        CompressionMethod: 0,
      });
      expect(gunzipSync(Volume!.Data).equals(expected(size, x, y, z))).toBe(true);
    },
    120_000,
  );

  it('gives one channel for each that comes, each with the same structure', async () => {
    const output = await client.segment(
      inputOf(channel([61, 61, 9]), channel([64, 64, 3], { id: '1' }), channel([58, 58, 4], { id: 'another' })),
    );
    expect(output.Channels.map(({ Volume }) => Volume?.Depth)).toEqual([9, 3, 4]);
    expect(new Set(output.Channels.map(({ Structure }) => Structure?.StructureID))).toEqual(new Set(['1']));
  }, 60_000);

  it('takes a message without channels, and one of no bytes, and gives none', async () => {
    for (const body of [inputOf(), new Uint8Array()]) {
      const output = await client.segment(body);
      expect(output.Channels).toEqual([]);
      expect(output.ModelID).toBe(PHANTOM_ID);
    }
  }, 60_000);

  it('gives empty masks for volumes of no voxels', async () => {
    const output = await client.segment(inputOf(channel([0, 0, 0]), channel([4, 0, 2])));
    expect(output.Channels.map(({ Volume }) => gunzipSync(Volume!.Data).length)).toEqual([0, 0]);
  }, 60_000);

  it('reads back as it was written', async () => {
    const collection = decodeMessage(ModelsCollectionSchema, await bytes(await client.ask('GET', '/api/v2/Model/')));
    expect(toBinary(ModelsCollectionSchema, collection)).toHaveLength(401);
  });
});
