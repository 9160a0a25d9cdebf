/** What a broken or hostile client can send to the addresses of SegInt, and what it gets. */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SegmentationFeedbackSchema } from '../../registry/segint/messages/Model.generated.js';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { bytes, bytesOf, channel, inputOf, noise, SegintClient, segintServer } from './segint.suite.js';

const size = [16, 12, 8] as const;
const voxels = bytesOf(noise(size[0] * size[1] * size[2]));
const gzip = (data: Uint8Array) => gzipSync(data, { level: 1 });
const random = (count: number, seed: number) => {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  });
};
const joined = (...parts: (Uint8Array | readonly number[])[]) =>
  Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));

const CODES = { internal: 1, client: 2, decompression: 3, mismatch: 4 };

describe('a hostile client', () => {
  let server: RestServer;
  let client: SegintClient;

  beforeAll(async () => {
    server = await segintServer();
    client = new SegintClient(server);
  }, 60_000);
  afterAll(() => server.close());

  const count = async () => (await server.client('administrator').jobs.list({ limit: 200 })).items.length;

  it('gets 400 at once for what is no message, and makes no job', async () => {
    const before = await count();
    const good = inputOf(channel(size));
    const bad: Record<string, Uint8Array<ArrayBuffer>> = {
      'cut off in the voxels': good.slice(0, -100),
      'cut off by one byte': good.slice(0, -1),
      'a length of 2^63': joined([0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
      'a length of 2 GiB': joined([0x12, 0xff, 0xff, 0xff, 0xff, 0x07]),
      'a varint without end': joined(
        [0x12],
        random(20, 1).map(() => 0xff),
      ),
      'field number 0': joined([0x02, 0x00]),
      'a field number beyond 2^29': joined([0xfa, 0xff, 0xff, 0xff, 0x1f, 0x00]),
      'wire type 6': joined([0x0e]),
      'wire type 7': joined([0x0f]),
      'a stray end of a group': joined([0x0c]),
      'an open group': joined([0x23, 0x28, 0x01]),
      'groups in groups': joined(new Uint8Array(5000).fill(0x23)),
      'a group that ends as another': joined([0x23, 0x2c]),
      'a nested message longer than its parent': joined([0x12, 0x04, 0x12, 0x10, 0x0a, 0x00]),
      'a text that is not UTF-8': joined([0x12, 0x03, 0x0a, 0x01, 0xff]),
      'a text of 100 KB as id': inputOf(channel(size, { id: 'x'.repeat(100_000) })),
      'a hundred thousand and one channels': joined(...Array.from({ length: 100_001 }, () => [0x12, 0x00])),
      'a number where a channel should be': joined([0x10, 0x01]),
      html: Uint8Array.from(Buffer.from('<html><body>hello</body></html>')),
    };
    for (let seed = 0; seed < 40; seed++) bad[`random ${seed}`] = joined([0x12], random(200 + seed, seed));
    for (const [name, body] of Object.entries(bad)) {
      const answer = await client.post(body, 'application/json');
      expect(answer.status, name).toBe(400);
      expect(await answer.json(), name).toMatchObject({ ErrorMessage: 'Invalid request.' });
    }
    expect(await count()).toBe(before);
  }, 60_000);

  it('may send fields that nobody knows', async () => {
    const strange = joined(
      inputOf(channel([8, 8, 8])),
      [0x7a, 0x02, 1, 2],
      [0x23, 0x28, 0x01, 0x24],
      [0x39, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    expect((await client.segment(strange)).Channels).toHaveLength(1);
  }, 60_000);

  it('is told by error codes what is wrong with its volumes, with a progress that ends', async () => {
    const truncated = gzip(voxels).subarray(0, -20);
    const damaged = Uint8Array.from(gzip(voxels));
    damaged[damaged.length >> 1]! ^= 0xff;
    const wrongSum = Uint8Array.from(gzip(voxels));
    wrongSum[wrongSum.length - 6]! ^= 1;
    const cases: [name: string, body: Uint8Array<ArrayBuffer>, code: number][] = [
      ['cut off', inputOf(channel(size, { data: truncated })), CODES.decompression],
      ['damaged', inputOf(channel(size, { data: damaged })), CODES.decompression],
      ['wrong checksum', inputOf(channel(size, { data: wrongSum })), CODES.decompression],
      ['no gzip', inputOf(channel(size, { data: voxels })), CODES.decompression],
      ['followed by garbage', inputOf(channel(size, { data: joined(gzip(voxels), [1, 2, 3]) })), CODES.decompression],
      ['one voxel too few', inputOf(channel(size, { data: gzip(voxels.subarray(2)) })), CODES.mismatch],
      [
        'one voxel too many',
        inputOf(channel(size, { data: gzip(Buffer.concat([voxels, Buffer.alloc(2)])) })),
        CODES.mismatch,
      ],
      [
        'bytes in place of words',
        inputOf(channel(size, { data: gzip(voxels.subarray(0, voxels.length / 2)) })),
        CODES.mismatch,
      ],
      ['a bomb', inputOf(channel(size, { data: gzip(Buffer.alloc(64 * 2 ** 20)) })), CODES.mismatch],
      ['no data', inputOf(channel(size, { data: new Uint8Array() })), CODES.mismatch],
      [
        'a size that the data cannot have',
        inputOf(channel([1024, 1024, 1024], { data: gzip(voxels) })),
        CODES.mismatch,
      ],
      ['data for no voxels', inputOf(channel([0, 5, 5], { data: gzip(voxels) })), CODES.mismatch],
      [
        'sizes whose product is beyond all',
        inputOf(channel([0xffffffff, 0xffffffff, 0xffffffff], { data: gzip(voxels) })),
        CODES.client,
      ],
      ['a long axis', inputOf(channel([100_000, 1, 1], { data: gzip(voxels) })), CODES.client],
      ['seventeen channels', inputOf(...Array.from({ length: 17 }, () => channel([2, 2, 2]))), CODES.client],
    ];
    for (const [name, body, code] of cases) {
      const id = await client.start(body);
      const progress = await client.ended(id);
      expect([progress.ErrorCode, progress.Progress < 100], name).toEqual([code, true]);
      expect(progress.Errors, name).not.toBe('');
      expect(progress.Errors, name).not.toMatch(/\/|DOE/);
      expect((await client.ask('GET', `${client.path}/${id}/result`)).status, name).toBe(400);
    }
  }, 120_000);

  it('may pack voxels into several gzip members, with zeros behind them', async () => {
    const members = joined(gzip(voxels.subarray(0, 1000)), gzip(voxels.subarray(1000)), new Uint8Array(10));
    expect((await client.segment(inputOf(channel(size, { data: members })))).Channels).toHaveLength(1);
  }, 60_000);

  it('gets the wrong types and methods refused before its body counts', async () => {
    const body = inputOf(channel(size));
    for (const type of ['application/json', 'application/octet-stream', 'application/x-protobuf2', 'x'])
      expect((await client.ask('POST', client.path, { body, headers: { 'content-type': type } })).status).toBe(415);
    const { status } = await client.ask('PUT', client.path, { body, headers: { 'content-type': 'application/json' } });
    expect(status).toBe(403);
    const coded = await client.ask('POST', client.path, { body, headers: { 'content-encoding': 'gzip' } });
    expect(coded.status).toBe(415);
  });

  it('makes no job by leaving in the middle of its body', async () => {
    const before = await count();
    const { port } = new URL(server.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(
          `POST ${client.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100000\r\n\r\n`,
        );
        socket.write(inputOf(channel(size)).subarray(0, 500), () => socket.destroy());
      });
      socket.once('close', () => resolve());
    });
    expect((await client.ask('GET', '/ping')).status).toBe(200);
    expect(await count()).toBe(before);
  });

  it('may say what it likes in feedback, within limits', async () => {
    const send = (fields: Parameters<typeof create<typeof SegmentationFeedbackSchema>>[1]) =>
      client.ask('POST', '/api/v2/Feedback/segmentation', {
        body: Uint8Array.from(toBinary(SegmentationFeedbackSchema, create(SegmentationFeedbackSchema, fields))),
      });
    const odd = `\u0000\u202e${'😀'.repeat(300)}\u0000`;
    const strange = await send({
      SegmentationID: odd,
      GeneralComments: odd,
      GeneralScore: { Value: Number.NaN },
      ClientInformation: { SoftwareVersion: odd },
      StructureComments: [{ StructureID: odd, Comments: odd, Score: { Value: 1e308 } }],
    });
    expect(strange.status).toBe(200);
    expect((await send({ GeneralComments: 'x'.repeat(500_000) })).status).toBe(200);
    expect((await send({ GeneralComments: 'x'.repeat(3_000_000) })).status).toBe(413);
    const many = Array.from({ length: 20_000 }, (_, n) => ({ StructureID: String(n) }));
    expect((await send({ StructureComments: many })).status).toBe(200);
    expect((await client.ask('POST', '/api/v2/Feedback/segmentation', { body: joined([0x1a, 1]) })).status).toBe(400);
    expect((await client.ask('POST', '/api/v2/Telemetry/segmentation', { body: random(300, 7) })).status).toBe(400);
  }, 60_000);
});

describe('a result', () => {
  let server: RestServer;
  let client: SegintClient;
  const many = inputOf(...Array.from({ length: 16 }, (_, n) => channel([64, 64, 3 + (n % 2)], { id: '1' })));

  beforeAll(async () => {
    server = await segintServer();
    client = new SegintClient(server);
  }, 60_000);
  afterAll(() => server.close());

  it('is whole or refused for each of many that fetch it at once, and then gone', async () => {
    const id = await client.start(many);
    await client.ended(id);
    const path = `${client.path}/${id}/result`;
    const accepts = ['application/x-protobuf', 'application/json', 'application/x-protobuf', 'application/json'];
    const answers = await Promise.all(
      accepts.map(async (accept) => {
        const answer = await client.ask('GET', path, { accept });
        return { accept, status: answer.status, body: Buffer.from(await bytes(answer)) };
      }),
    );
    const fetched = answers.filter(({ status }) => status === 200);
    expect(fetched.length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 200 || status === 400)).toBe(true);
    for (const accept of new Set(accepts)) {
      const same = fetched.filter((answer) => answer.accept === accept);
      for (const { body } of same) expect(body.equals(same[0]!.body)).toBe(true);
    }
    for (const each of [path, `${client.path}/${id}`]) expect((await client.ask('GET', each)).status).toBe(400);
  }, 60_000);

  it('stays when somebody else who may read it has fetched it, and is unknown to who may not', async () => {
    const id = await client.start(inputOf(channel(size)));
    await client.ended(id);
    const path = `${client.path}/${id}/result`;
    expect((await server.request('service', 'GET', path)).status).toBe(400);
    const other = await server.request('clinician', 'GET', path);
    expect(other.status).toBe(200);
    await other.arrayBuffer();
    expect((await client.result(id)).Channels).toHaveLength(1);
  }, 60_000);

  it('stays when its client goes before it has all of it', async () => {
    const id = await client.start(inputOf(channel([512, 512, 60])));
    await client.ended(id);
    const { port } = new URL(server.url);
    // Headers alone are read, and of the answer more comes than sockets buffer: as JSON of random masks it would; here the
    // connection goes before the server may write.
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(
          `GET ${client.path}/${id}/result HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`,
          () => socket.resetAndDestroy(),
        );
      });
      socket.once('close', () => resolve());
    });
    const output = await client.result(id);
    expect(output.Channels).toHaveLength(1);
  }, 60_000);
});
