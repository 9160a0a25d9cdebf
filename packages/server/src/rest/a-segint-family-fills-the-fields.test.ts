/** SegInt's serialised ModelFamily fills family, versions and structures; read back it says the same, and follows later edits. */
import { clone, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ModelConstraints_BodyPartExaminedType,
  type ModelConstraints_GenderType,
  type ModelFamily,
  ModelFamilySchema,
} from '../registry/segint/messages/Model.generated.js';
import { type RestServer, restServer } from './rest-server.suite.js';

const TYPE = { 'content-type': 'application/x-protobuf' };
const point = (n: number) => ({ X: n, Y: n + 0.5, Z: n + 1 });

const message = create(ModelFamilySchema, {
  CanonicalName: 'Chest, basic',
  LanguageCode: 'de',
  FamilyDescription: {
    Name: 'Chest',
    Description: 'Body, lungs and bone',
    ClinicalDomain: 'RO',
    AnatomicalRegion: 'THORAX',
    PrimaryStructure: 'Lung',
    Modalities: 'CT',
    InputChannels: [
      {
        ChannelID: 'the CT',
        Constraints: {
          AcceptedModalities: [0, 1],
          SpacingMinInMillimeters: point(0.5),
          SpacingMaxInMillimeters: point(3),
          DimensionsMinInPixels: point(16),
          DimensionsMaxInPixels: point(1024),
          IsAxial: true,
        },
      },
    ],
    Constraints: { BodyPartsExamined: [20, 60, 110], Gender: 1 },
  },
  ModelVersions: [
    {
      ID: 'Chest one',
      VersionDescription: 'the first',
      CreatedOn: timestampFromDate(new Date('2021-02-03T04:05:06.789Z')),
      MajorVersion: 4_000_000_000,
      MinorVersion: 7,
      NumberOfCreditsRequired: 1.25,
      LanguageCode: 'fr',
      RegulatoryFrameworks: [
        { Framework: 'MDR', Status: 1, UDI: '(01)', Manufacturer: 'us', DetailsURL: 'https://example.org' },
        { Framework: 'FDA', ReleaseDate: timestampFromDate(new Date('2022-01-01T00:00:00Z')) },
      ],
    },
  ],
});

describe('a serialised family', () => {
  let server: RestServer;
  let id: string;
  let names: string[];

  beforeAll(async () => {
    server = await restServer({ slots: 0 });
    const rest = server.client('administrator');
    const model = (await rest.models.list({})).items.find(({ name }) => name === 'ct-basic')!;
    id = model.familyId;
    names = model.structures.map(({ name }) => name);
    message.ModelVersions[0]!.Structures = names.map(
      (Name, n) =>
        create(ModelFamilySchema, {
          ModelVersions: [
            {
              Structures: [
                {
                  // Names and colours of its own stay those of the message.
                  Name: n === 0 ? Name : `${Name} (${n})`,
                  Color: { R: n, G: 2, B: 3 },
                  Type: n % 3,
                  FMACode: 1000 + n,
                  InputChannelID: 'the CT',
                  StructureID: `s${n}`,
                },
              ],
            },
          ],
        }).ModelVersions[0]!.Structures[0]!,
    );
  }, 60_000);
  afterAll(() => server.close());

  const put = (body: Uint8Array, role: 'administrator' | 'clinician' = 'administrator') =>
    server.request(role, 'PUT', `/isocenter/v1/families/${id}/segint`, { body: Uint8Array.from(body), headers: TYPE });
  const get = async (): Promise<ModelFamily> => {
    const answer = await server.request('clinician', 'GET', `/isocenter/v1/families/${id}/segint`);
    expect(answer.headers.get('content-type')).toBe('application/x-protobuf');
    return fromBinary(ModelFamilySchema, new Uint8Array(await answer.arrayBuffer()));
  };
  const bytes = (given: ModelFamily) => Buffer.from(toBinary(ModelFamilySchema, given));

  it('is refused whole when a nested part is broken, unknown or impossible', async () => {
    const before = bytes(await get());
    const broken = bytes(message);
    // The length of the first nested message is made one too small, so that its rest is read as something else.
    const at = broken.indexOf(0x12, 2 + message.CanonicalName.length) + 1;
    broken[at] = broken[at]! - 1;
    const changed = (change: (copy: ModelFamily) => void) => {
      const copy = clone(ModelFamilySchema, message);
      change(copy);
      return bytes(copy);
    };
    const bad: [Uint8Array, number][] = [
      [broken, 400],
      [bytes(message).subarray(0, -1), 400],
      [Buffer.from('not protobuf at all'), 400],
      [changed((copy) => (copy.FamilyDescription!.Constraints!.Gender = 9 as ModelConstraints_GenderType)), 422],
      [
        changed((copy) =>
          copy.FamilyDescription!.Constraints!.BodyPartsExamined.push(111 as ModelConstraints_BodyPartExaminedType),
        ),
        422,
      ],
      [
        changed((copy) => (copy.FamilyDescription!.InputChannels[0]!.Constraints!.SpacingMinInMillimeters!.X = -1)),
        422,
      ],
      [changed((copy) => (copy.FamilyDescription!.InputChannels[0]!.ChannelID = '')), 422],
      [changed((copy) => copy.ModelVersions[0]!.Structures.pop()), 422],
      [changed((copy) => copy.ModelVersions.push(clone(ModelFamilySchema, message).ModelVersions[0]!)), 422],
      [changed((copy) => (copy.FamilyDescription!.Description = 'x'.repeat(20_000))), 422],
      [changed((copy) => (copy.ModelVersions[0]!.CreatedOn!.seconds = 2n ** 62n)), 422],
      [changed((copy) => (copy.ModelVersions[0]!.CreatedOn!.seconds = -(2n ** 40n))), 422],
      [changed((copy) => (copy.ModelVersions[0]!.RegulatoryFrameworks[1]!.ReleaseDate!.seconds = 2n ** 62n)), 422],
      [changed((copy) => (copy.ModelVersions[0]!.NumberOfCreditsRequired = Number.NaN)), 422],
      [
        changed((copy) => (copy.FamilyDescription!.InputChannels[0]!.Constraints!.SpacingMinInMillimeters!.X = 1 / 0)),
        422,
      ],
    ];
    for (const [n, [body, status]] of bad.entries()) {
      const answer = await put(body);
      expect(answer.status, `case ${n}: ${await answer.text()}`).toBe(status);
      expect(bytes(await get()).equals(before), `case ${n}`).toBe(true);
    }
    expect((await put(bytes(message), 'clinician')).status).toBe(403);
  });

  it('fills every field, and reads back as it came', async () => {
    const answer = await put(bytes(message));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      canonicalName: 'ct-basic',
      name: 'Chest',
      gender: 'Female',
      bodyPartsExamined: ['Chest', 'Lung', 'Zygoma'],
      inputChannels: [{ channelId: 'the CT', constraints: { spacingMin: { x: 0.5, y: 1, z: 1.5 }, isAxial: true } }],
    });
    const [version] = (await server.client('clinician').models.list({ family: id })).items;
    expect(version).toMatchObject({
      versionId: 'Chest one',
      majorVersion: 4_000_000_000,
      createdOn: '2021-02-03T04:05:06.789Z',
    });
    expect(version?.structures.map(({ name, fmaCode, structureId }) => [name, fmaCode, structureId])).toEqual(
      names.map((name, n) => [name, 1000 + n, `s${n}`]),
    );
    expect(bytes(await get()).equals(bytes(message))).toBe(true);
  });

  it('says what was edited afterwards', async () => {
    const rest = server.client('administrator');
    await rest.families.update({ family: id, gender: 'Any', clinicalDomain: 'IR' });
    const [version] = (await rest.models.list({ family: id })).items;
    await rest.models.update({ model: version!.id, versionId: 'Chest two', creditsRequired: 3 });
    const after = await get();
    expect(after.CanonicalName).toBe('Chest, basic');
    expect(after.FamilyDescription).toMatchObject({ ClinicalDomain: 'IR', Constraints: { Gender: 2 } });
    expect(after.ModelVersions[0]).toMatchObject({ ID: 'Chest two', NumberOfCreditsRequired: 3 });
    expect(after.ModelVersions[0]!.Structures[1]).toMatchObject({ Name: `${names[1]} (1)`, Color: { R: 1 } });
  });
});
