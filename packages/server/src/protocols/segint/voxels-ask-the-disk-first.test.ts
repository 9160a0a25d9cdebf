/** What a few megabytes of gzip unpack to is not written where the reserve of the disk would be used up. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { channel, inputOf, SegintClient, segintServer } from './segint.suite.js';

const size = [128, 128, 40] as const;
const VOXEL_BYTES = 2 * 128 * 128 * 40;

describe('a worker whose disk is nearly full', () => {
  let server: RestServer;
  let free = VOXEL_BYTES - 1;
  let asked = 0;
  const message = inputOf(channel(size, { data: gzipSync(Buffer.alloc(VOXEL_BYTES)) }));
  beforeAll(async () => {
    server = await segintServer({
      workBytes: () => {
        asked++;
        return free;
      },
    });
  }, 60_000);
  afterAll(() => server.close());

  it('runs a model that looks at the grid alone, whose voxels are not written', async () => {
    expect((await new SegintClient(server).segment(message)).Channels).toHaveLength(1);
    expect(asked).toBe(0);
  }, 60_000);

  it('puts other jobs off, and does them when there is room', async () => {
    const rest = server.client('administrator');
    const model = (await rest.models.list({})).items.find(({ name }) => name === 'ct-basic')!;
    const client = new SegintClient(server, model.versionId);
    const id = await client.start(message);
    await expect.poll(async () => (await rest.jobs.get({ job: id })).attempts, { timeout: 60_000 }).toBeGreaterThan(0);
    await expect.poll(async () => (await rest.jobs.get({ job: id })).state, { timeout: 60_000 }).toBe('queued');
    expect(asked).toBeGreaterThan(0);
    free = 1000 * VOXEL_BYTES;
    expect(await client.ended(id)).toMatchObject({ Progress: 100 });
  }, 180_000);
});
