/** What SegInt-R's own tests assert (specs/protocols.md 3.10), and the conventions of 3.1 and 3.2, over HTTP. */
import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage } from '../../registry/segint/decode-message.js';
import {
  ApiInformationSchema,
  BadRequestResponseSchema,
  CreditsSchema,
  ModelOutputSchema,
  ModelsCollectionSchema,
  SegmentationFeedbackSchema,
  SegmentationProgressSchema,
  SegmentationTaskSchema,
  SegmentationTelemetrySchema,
  VendorStatusSchema,
} from '../../registry/segint/messages/Model.generated.js';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { phantomFamily } from './phantom-family.js';
import { bytes, channel, inputOf, PHANTOM_ID, SegintClient, segintServer } from './segint.suite.js';

const JSON_TYPE = 'application/json';
const PAGE = { limit: 10 };
const FEEDBACK = '/api/v2/Feedback/segmentation';
const TELEMETRY = '/api/v2/Telemetry/segmentation';

const feedback = Uint8Array.from(
  toBinary(
    SegmentationFeedbackSchema,
    create(SegmentationFeedbackSchema, {
      ClientInformation: { SoftwareVersion: '1.0.0' },
      SegmentationID: 'Test Seg ID',
      SegmentationAccepted: true,
      GeneralComments: 'Test Comments',
      GeneralScore: { Value: 0.45 },
      StructureComments: [
        { StructureID: '1', Comments: 'first', Score: { Value: 0.41 } },
        { StructureID: '2', Comments: 'second', Score: { Value: 0.49 } },
      ],
    }),
  ),
);
const telemetry = Uint8Array.from(
  toBinary(
    SegmentationTelemetrySchema,
    create(SegmentationTelemetrySchema, {
      ClientInformation: { SoftwareVersion: '1.0.0 Research' },
      UploadTimeInMilliseconds: 12,
      ModelID: PHANTOM_ID,
      SegmentationID: 'Test',
      ClientErrorInformation: 'None',
    }),
  ),
);
const family = Uint8Array.from(phantomFamily());

describe('the tests of the old server', () => {
  let server: RestServer;
  let client: SegintClient;

  beforeAll(async () => {
    server = await segintServer();
    client = new SegintClient(server);
  }, 60_000);
  afterAll(() => server.close());

  const get = async <D extends DescMessage>(path: string, desc: D): Promise<MessageShape<D>> => {
    const answer = await client.ask('GET', path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    return decodeMessage(desc, await bytes(answer));
  };
  const json = async (path: string, accept: string = JSON_TYPE) => {
    const answer = await client.ask('GET', path, { accept });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(JSON_TYPE);
    return answer.json() as Promise<Record<string, unknown>>;
  };
  const post = (path: string, body: Uint8Array<ArrayBuffer>, type = 'application/x-protobuf') =>
    client.ask('POST', path, { body, headers: { 'content-type': type } });

  it.each(['/ping', '/api/ping'])('answer %s in both forms', async (path) => {
    const Version = '0.0.1 Research Server Development Test';
    expect(await json(path)).toEqual({ Version });
    expect(await get(path, ApiInformationSchema)).toMatchObject({ Version });
  });

  it('tell credits in both forms, and refuse to be posted them', async () => {
    expect(await json('/api/v2/Credits')).toMatchObject({ TotalCredits: 100000, LanguageCode: 'English' });
    expect(await get('/api/v2/Credits', CreditsSchema)).toMatchObject({
      TotalCredits: 100000,
      DisplayCreditsWarning: true,
    });
    expect((await post('/api/v2/Credits', Uint8Array.from(Buffer.from('Test content')))).status).toBe(403);
  });

  it('list models in both forms', async () => {
    const { Models } = (await json('/api/v2/Model/')) as { Models: Record<string, unknown>[] };
    const phantom = Models.find(({ CanonicalName }) => CanonicalName === 'Centered Square') as {
      FamilyDescription: Record<string, unknown>;
      ModelVersions: Record<string, unknown>[];
    };
    // Defaults are left out, enums are names, times RFC 3339.
    expect(phantom.FamilyDescription.Constraints).toEqual({ BodyPartsExamined: ['Abdomen'], Gender: 'Any' });
    expect(phantom.ModelVersions[0]).toMatchObject({
      ID: PHANTOM_ID,
      CreatedOn: '2020-07-28T14:42:10Z',
      MinorVersion: 1,
    });
    expect(phantom.ModelVersions[0]).not.toHaveProperty('MajorVersion');
    expect(phantom.ModelVersions[0]).not.toHaveProperty('NumberOfCreditsRequired');
    const collection = await get('/api/v2/Model/', ModelsCollectionSchema);
    expect(collection.Models.map(({ CanonicalName }) => CanonicalName)).toEqual(
      Models.map(({ CanonicalName }) => CanonicalName),
    );
    expect(collection.Models.map(({ ModelVersions }) => ModelVersions[0]?.ID)).toContainEqual(
      expect.stringMatching(/^ct-basic:/),
    );
  });

  it('tell the vendor, with our own address', async () => {
    const status = await get('/api/v2/VendorStatus', VendorStatusSchema);
    expect(status).toMatchObject({
      ClientCountryCode: 'US',
      SegmentationServiceStatus: 1,
      VendorName: 'Research Server',
    });
    expect(status.SegmentationServiceUrl).toBe(`${server.url}/api/v2/`);
    expect(await json('/api/v2/VendorStatus')).toMatchObject({ SegmentationServiceStatus: 'Available' });
  });

  it('take feedback and telemetry, and store them', async () => {
    for (const [path, body] of [
      [FEEDBACK, feedback],
      [TELEMETRY, telemetry],
    ] as const) {
      expect((await post(path, body, JSON_TYPE)).status).toBe(415);
      const answer = await post(path, body, 'application/x-protobuf; charset=utf-8');
      expect([answer.status, await answer.text()]).toEqual([200, 'POST successful.']);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    }
    expect((await client.ask('GET', TELEMETRY)).status).toBe(403);
    const [stored] = (await server.parts.statements.listFeedback({ job: 'Test Seg ID' }, PAGE)).items;
    expect(stored).toMatchObject({ accepted: true, score: 0.45, client: '1.0.0', protocol: 'segint' });
    expect(stored?.structures.map(({ score }) => score)).toEqual([0.41, 0.49]);
    const [sent] = (await server.parts.statements.listTelemetry({ job: 'Test' }, PAGE)).items;
    expect(sent).toMatchObject({ uploadMs: 12, model: PHANTOM_ID, error: 'none', errorInformation: 'None' });
  });

  it('keep a score that is missing missing', async () => {
    const message = create(SegmentationFeedbackSchema, {
      SegmentationID: 'no score',
      StructureComments: [{ StructureID: '1' }],
    });
    expect((await post(FEEDBACK, Uint8Array.from(toBinary(SegmentationFeedbackSchema, message)))).status).toBe(200);
    const [stored] = (await server.parts.statements.listFeedback({ job: 'no score' }, PAGE)).items;
    expect(stored).not.toHaveProperty('score');
    expect(stored?.structures[0]).not.toHaveProperty('score');
  });

  it('refuse messages of another type, whose nested parts are broken', async () => {
    for (const [path, body] of [
      [FEEDBACK, telemetry],
      [TELEMETRY, family],
      [client.path, feedback],
    ] as const) {
      const answer = await post(path, body);
      expect(answer.status, path).toBe(400);
      const said = decodeMessage(BadRequestResponseSchema, await bytes(answer));
      expect(said.ErrorMessage).toBe('Invalid request.');
      expect(said.ExceptionDetails).toMatch(/no message of the expected type/);
    }
  });

  it('know no job of an id that nobody was given', async () => {
    for (const id of ['InvalidSegID', '2c9e8b4c-9a43-4f7e-8d4a-0d2c1f3b5a69', '%00', 'a b'])
      for (const path of [`${client.path}/${id}`, `${client.path}/${id}/result`])
        expect((await client.ask('GET', path)).status, path).toBe(400);
  });

  it('go the whole way in protobuf', async () => {
    const answer = await client.post(inputOf(channel([64, 64, 8])));
    expect(answer.status).toBe(200);
    const { SegmentationID, StartTime } = decodeMessage(SegmentationTaskSchema, await bytes(answer));
    expect(SegmentationID).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/);
    expect(Math.abs(Number(StartTime?.seconds) - Date.now() / 1000)).toBeLessThan(600);
    expect(await client.ended(SegmentationID)).toMatchObject({ Progress: 100, Errors: '', ErrorCode: 0 });
    expect([...(await bytes(await client.ask('GET', `${client.path}/${SegmentationID}`)))]).toEqual([0x08, 0x64]);
    expect(await client.result(SegmentationID)).toMatchObject({ ModelID: PHANTOM_ID });
  }, 60_000);

  it('go the whole way in JSON, to the same result', async () => {
    const body = inputOf(channel([64, 64, 8]), channel([5, 7, 3]));
    const answer = await client.post(body, JSON_TYPE);
    const { SegmentationID, StartTime } = (await answer.json()) as Record<string, string>;
    expect(StartTime).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    await client.ended(SegmentationID!);
    expect(await json(`${client.path}/${SegmentationID}`)).toEqual({ Progress: 100 });
    const said = (await json(`${client.path}/${SegmentationID}/result`)) as {
      Channels: { Volume: { Data: string } }[];
    };
    const output = await client.segment(body);
    expect(said).toMatchObject({ ModelID: PHANTOM_ID, ProcesserVersion: '0.1', LanguageCode: 'en' });
    expect(said.Channels.map(({ Volume }) => Volume)).toMatchObject(
      output.Channels.map(({ Volume }) => ({
        Width: Volume?.Width,
        Data: Buffer.from(Volume!.Data).toString('base64'),
        DataType: 'Byte',
      })),
    );
    expect(output.$typeName).toBe(ModelOutputSchema.typeName);
  }, 60_000);
});

describe('conventions', () => {
  let server: RestServer;
  let client: SegintClient;

  beforeAll(async () => {
    // Nobody takes the jobs: they stay at their beginning.
    server = await segintServer({ slots: 0 });
    client = new SegintClient(server);
  }, 60_000);
  afterAll(() => server.close());

  it('protobuf comes for the one exact Accept, JSON for everything else and for none', async () => {
    const typeFor = async (accept: string) =>
      (await client.ask('GET', '/ping', { accept })).headers.get('content-type');
    expect(await typeFor('application/x-protobuf')).toBe('text/html; charset=utf-8');
    for (const accept of [
      '*/*',
      'application/X-Protobuf',
      'application/x-protobuf, */*',
      'application/x-protobuf; q=1',
    ])
      expect(await typeFor(accept), accept).toBe('application/json');
    const bare = await server.app.inject({ url: '/ping', headers: {} });
    expect([bare.statusCode, bare.headers['content-type']]).toEqual([200, 'application/json']);
  });

  it('a progress of nothing is an empty message', async () => {
    const id = await client.start(inputOf(channel([8, 8, 8])));
    const [binary, text] = await Promise.all([
      client.ask('GET', `${client.path}/${id}`),
      client.ask('GET', `${client.path}/${id}`, { accept: '*/*' }),
    ]);
    expect([binary.status, (await bytes(binary)).length]).toEqual([200, 0]);
    expect(await text.text()).toBe('{}');
    expect((await client.ask('GET', `${client.path}/${id}/result`)).status).toBe(400);
    const other = new SegintClient(server, 'ct-basic:0.1');
    expect((await client.ask('GET', `${other.path}/${id}`)).status).toBe(400);
    expect(decodeMessage(SegmentationProgressSchema, new Uint8Array()).Progress).toBe(0);
  });

  it('wrong methods are 403 with a BadRequestResponse, whatever they are', async () => {
    const wrong: [path: string, methods: string[]][] = [
      ['/ping', ['POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']],
      ['/api/ping', ['POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']],
      ['/api/v2/Credits', ['POST', 'HEAD', 'OPTIONS']],
      ['/api/v2/VendorStatus', ['POST', 'PUT']],
      ['/api/v2/Model/', ['POST', 'HEAD', 'OPTIONS', 'DELETE']],
      [client.path, ['GET', 'HEAD', 'PUT', 'OPTIONS', 'DELETE']],
      [`${client.path}/x`, ['POST', 'HEAD', 'DELETE']],
      [`${client.path}/x/result`, ['POST', 'HEAD', 'DELETE', 'OPTIONS']],
      [FEEDBACK, ['GET', 'HEAD', 'PUT', 'OPTIONS']],
      [TELEMETRY, ['GET', 'HEAD', 'PUT', 'OPTIONS']],
    ];
    for (const [path, methods] of wrong)
      for (const method of methods) {
        const answer = await client.ask(method, path, { accept: JSON_TYPE });
        expect(answer.status, `${method} ${path}`).toBe(403);
        if (method === 'HEAD') continue;
        expect(await answer.json(), `${method} ${path}`).toMatchObject({ ErrorMessage: 'Invalid request.' });
      }
  });

  it('only the list of models has a slash at its end', async () => {
    for (const method of ['GET', 'POST']) {
      const answer = await client.ask(method, '/api/v2/Model');
      expect([answer.status, answer.headers.get('location')]).toEqual([301, '/api/v2/Model/']);
    }
    for (const path of ['/ping/', '/api/ping/', '/api/v2/Credits/', `${client.path}/x/`, `${client.path}/x/result/`])
      expect((await client.ask('GET', path)).status, path).toBe(404);
    for (const path of [`${FEEDBACK}/`, `${TELEMETRY}/`, `${client.path}/`])
      expect((await post404(path)).status, path).toBe(404);
    function post404(path: string) {
      return client.ask('POST', path, { body: feedback });
    }
  });

  it('a model that is not there makes no job', async () => {
    const before = (await server.client('administrator').jobs.list({})).items.length;
    for (const model of ['nothing', 'Centered%20Orange', '', 'a/b', 'x'.repeat(600)]) {
      const answer = await new SegintClient(server, model).post(inputOf(channel([8, 8, 8])));
      expect([400, 404, 414], model).toContain(answer.status);
    }
    expect((await server.client('administrator').jobs.list({})).items).toHaveLength(before);
  });

  it('jobs of others are not there', async () => {
    const id = await client.start(inputOf(channel([8, 8, 8])));
    const mine = `${client.path}/${id}`;
    expect((await client.ask('GET', mine)).status).toBe(200);
    const key = await server.key('service', 'another workstation');
    const foreign = await client.ask('GET', mine, { headers: { authorization: `Bearer ${key}` } });
    expect(foreign.status).toBe(400);
    const wrong = await client.ask('GET', mine, { headers: { authorization: 'Bearer iso_wrong' }, accept: JSON_TYPE });
    expect([wrong.status, await wrong.json()]).toMatchObject([401, { ErrorMessage: 'Invalid request.' }]);
  });

  it('a family that makes no message makes the list 406', async () => {
    const [first] = await server.parts.registry.families();
    const { SYSTEM } = await import('../../accounts/actor.js');
    await server.parts.registry.storeProtobuf(first!.id, Buffer.from([0x0a, 0x05, 0x61]), SYSTEM);
    const answer = await client.ask('GET', '/api/v2/Model/', { accept: JSON_TYPE });
    expect([answer.status, await answer.json()]).toMatchObject([406, { ErrorMessage: 'Invalid request.' }]);
    await server.parts.registry.storeProtobuf(first!.id, undefined, SYSTEM);
    expect((await client.ask('GET', '/api/v2/Model/')).status).toBe(200);
  });
});
