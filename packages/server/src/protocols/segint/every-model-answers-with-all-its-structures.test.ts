/** Models beyond the phantom: their structures as channels, their channels by id, and what strict mode asks for. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { drawPhantom } from '@isocenter/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { bytesOf, channel, inputOf, PHANTOM_ID, SegintClient, segintServer } from './segint.suite.js';

describe('ct-basic', () => {
  let server: RestServer;
  beforeAll(async () => {
    server = await segintServer();
  }, 60_000);
  afterAll(() => server.close());

  it('gives one channel a structure, with the voxels that the command line finds', async () => {
    const rest = server.client('administrator');
    const model = (await rest.models.list({})).items.find(({ name }) => name === 'ct-basic')!;
    const client = new SegintClient(server, model.versionId);
    const { volume } = drawPhantom({ kind: 'thorax', size: [96, 96, 24], spacing: [4, 4, 12] });
    const [w, h, d] = volume.size as [number, number, number];
    const data = gzipSync(bytesOf(Int16Array.from(volume.data, Math.round)), { level: 1 });
    const output = await client.segment(inputOf(channel([w, h, d], { id: 'whatever', data, spacing: [4, 4, 12] })));
    expect(output.ModelID).toBe(model.versionId);
    expect(output.Channels.map(({ Structure }) => Structure?.Name)).toEqual(model.structures.map(({ name }) => name));
    expect(output.Channels.map(({ Structure }) => Structure?.StructureID)).toEqual(
      model.structures.map(({ structureId }) => structureId),
    );
    const masks = output.Channels.map(({ Volume }) => gunzipSync(Volume!.Data));
    for (const mask of masks) expect(mask).toHaveLength(w * h * d);
    const [job] = (await rest.jobs.list({ limit: 1 })).items;
    expect(job).toMatchObject({ protocol: 'segint', model: model.address, state: 'succeeded' });
    // Lungs lie inside of the body, and are not the same.
    const at = (name: string) => masks[model.structures.findIndex((structure) => structure.name === name)]!;
    const voxels = (mask: Buffer) => mask.reduce((sum, value) => sum + value, 0);
    expect(model.structures.map(({ name }) => name)).toEqual(expect.arrayContaining(['Body', 'Lung_L', 'Lung_R']));
    for (const side of ['Lung_L', 'Lung_R']) expect(voxels(at(side))).toBeGreaterThan(1000);
    expect(voxels(at('Body'))).toBeGreaterThan(voxels(at('Lung_L')) + voxels(at('Lung_R')));
  }, 120_000);
});

describe('strict mode', () => {
  let server: RestServer;
  let client: SegintClient;
  beforeAll(async () => {
    server = await segintServer({}, 'strict');
    client = new SegintClient(server);
  }, 60_000);
  afterAll(() => server.close());

  it('labels protobuf as protobuf, reads Accept as HTTP does, and has the statuses of HTTP', async () => {
    const ping = await client.ask('GET', '/ping', { accept: 'text/plain, Application/X-Protobuf;q=0.5' });
    expect(ping.headers.get('content-type')).toBe('application/x-protobuf');
    expect(
      (await client.ask('GET', '/ping', { accept: 'application/x-protobuf;q=0' })).headers.get('content-type'),
    ).toBe('application/json');
    expect((await client.ask('POST', '/api/v2/Credits')).status).toBe(405);
    expect((await client.ask('GET', `${client.path}/InvalidSegID`)).status).toBe(404);
    expect((await new SegintClient(server, 'nothing').post(inputOf(channel([4, 4, 4])))).status).toBe(404);
  });

  it('enforces what the family says of its channels', async () => {
    const rest = server.client('administrator');
    await client.ask('GET', '/api/v2/Model/');
    const version = (await rest.models.list({})).items.find(({ versionId }) => versionId === PHANTOM_ID)!;
    const all = (n: number) => ({ x: n, y: n, z: n });
    const constraints = {
      acceptedModalities: ['CT'],
      spacingMin: all(0.5),
      spacingMax: all(2),
      dimensionsMin: all(4),
      dimensionsMax: all(64),
      originalDataRequired: true,
      isAxial: true,
    };
    await rest.families.update({ family: version.familyId, inputChannels: [{ channelId: '1', constraints }] });
    const said = async (...channels: Parameters<typeof inputOf>) => {
      const progress = await client.ended(await client.start(inputOf(...channels)));
      return progress.Progress === 100 ? 'taken' : `${progress.ErrorCode} ${progress.Errors}`;
    };
    const tilted = channel([8, 8, 8]);
    tilted.CalibratedVolume!.DataTransform!.XAxisDirection = { Y: 1 };
    tilted.CalibratedVolume!.DataTransform!.YAxisDirection = { X: 1 };
    expect(await said(channel([8, 8, 8]))).toBe('taken');
    expect(await said(channel([8, 8, 8], { spacing: [1, 1, 3] }))).toMatch(
      /^2 .*spacing in mm along z is 3, not 0.5 to 2/,
    );
    expect(await said(channel([8, 65, 8]))).toMatch(/^2 .*number of voxels along y is 65/);
    expect(await said(tilted)).toMatch(/^2 .*not axial/);
    expect(await said(channel([8, 8, 0]))).toMatch(/^2 .*no voxels/);
    expect(await said(channel([8, 8, 8], { id: '2' }))).toMatch(/^2 .*a channel that the model has not/);
    expect(await said(channel([8, 8, 8]), channel([8, 8, 8]))).toMatch(/^2 .*one id/);
    expect(await said()).toMatch(/^2 .*no channel/);
  }, 120_000);
});
