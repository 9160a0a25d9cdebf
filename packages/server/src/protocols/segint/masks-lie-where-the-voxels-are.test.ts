/** Promise: a mask is in the order of the voxels that came, however their axes lie in the patient. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelInputChannelSchema } from '../../registry/segint/messages/Model.generated.js';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { bytesOf, channel, inputOf, SegintClient, segintServer } from './segint.suite.js';

const SIZE = [48, 40, 20] as const;
const AIR = -1000;
const SOFT = 40;
/** First and last index of a body that no flip and no exchange of axes leaves where it is. */
const BODY = [
  [6, 30],
  [3, 25],
  [2, 9],
] as const;
const inBody = (...at: readonly number[]) => at.every((n, axis) => n >= BODY[axis]![0] && n <= BODY[axis]![1]);

const voxels = new Int16Array(SIZE[0] * SIZE[1] * SIZE[2]).map((_, n) =>
  inBody(n % SIZE[0], Math.floor(n / SIZE[0]) % SIZE[1], Math.floor(n / SIZE[0] / SIZE[1])) ? SOFT : AIR,
);

type Vector = readonly [number, number, number];
const AXES: readonly (readonly [string, Vector, Vector, Vector])[] = [
  ['axial', [1, 0, 0], [0, 1, 0], [0, 0, 1]],
  ['head first, slices downwards', [1, 0, 0], [0, 1, 0], [0, 0, -1]],
  ['mirrored columns', [-1, 0, 0], [0, 1, 0], [0, 0, 1]],
  ['turned about the long axis', [-1, 0, 0], [0, -1, 0], [0, 0, 1]],
  ['sagittal', [0, 1, 0], [0, 0, -1], [1, 0, 0]],
  ['coronal', [1, 0, 0], [0, 0, -1], [0, 1, 0]],
  ['oblique', [0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]],
];
const point = ([X, Y, Z]: Vector) => ({ X, Y, Z });

describe('a volume', () => {
  let server: RestServer;
  let client: SegintClient;
  beforeAll(async () => {
    server = await segintServer({ slots: 2 });
    const model = (await server.client('administrator').models.list({})).items.find(({ name }) => name === 'ct-basic');
    client = new SegintClient(server, model!.versionId);
  }, 60_000);
  afterAll(() => server.close());

  it.each(AXES)('that lies %s has its body where its soft voxels are', async (_, x, y, z) => {
    const given = channel(SIZE, { data: gzipSync(bytesOf(voxels)), spacing: [6, 6, 10] });
    const transform = given.CalibratedVolume!.DataTransform as MessageInitShape<typeof ModelInputChannelSchema> &
      object;
    Object.assign(transform, { XAxisDirection: point(x), YAxisDirection: point(y), ZAxisDirection: point(z) });
    const { Channels } = await client.segment(inputOf(given));
    const body = Channels.find(({ Structure }) => /body|external/i.test(Structure!.Name))!;
    const mask = gunzipSync(body.Volume!.Data);
    let wrong = 0;
    let inside = 0;
    for (const [n, value] of mask.entries()) {
      const soft = voxels[n] === SOFT;
      if (soft) inside++;
      if (soft !== (value === 1)) wrong++;
    }
    expect(inside).toBeGreaterThan(1000);
    // Corners are rounded off; in any other order most of it would be wrong.
    expect(wrong / inside).toBeLessThan(0.05);
  });
});
