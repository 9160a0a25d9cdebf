/** What may be changed about a model, what may not, who is told, and when it can go. */
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text as bytesOf } from '../blobs/test-blobs.suite.js';
import { bodyPartsExamined, genderTypes, modalityTypes, regulatoryStatuses, structureTypes } from './enums.js';
import { failureOf, SCIENTIST, scratch, type TestRegistry, testRegistry, writeBundle } from './test-registry.suite.js';

const root = scratch();
let test: TestRegistry;
const needed = new Set<string>();
let count = 0;

beforeAll(async () => {
  test = await testRegistry({ isNeeded: async (id) => needed.has(id) });
});
afterAll(async () => {
  await test.close();
  root.remove();
});

const add = (name: string, version = '1.0.0') =>
  test.registry.add(writeBundle(join(root.path, `b${count++}`), { name, version }), {}, SCIENTIST);

it('fields that do not change results are changed, and audited without their contents', async () => {
  const version = await add('changing');
  const changed = await test.registry.updateVersion(
    version.id,
    { description: 'new words', majorVersion: 7 },
    SCIENTIST,
  );
  expect(changed).toMatchObject({ description: 'new words', majorVersion: 7, minorVersion: 0, state: 'active' });
  const family = await test.registry.updateFamily(version.familyId, { clinicalDomain: 'IO' }, SCIENTIST);
  expect([family.clinicalDomain, family.description]).toEqual(['IO', 'Finds boxes']);
  const entries = (await test.audited()).filter(({ id }) => [version.id, family.id].includes(id));
  expect(entries.map(({ action, details }) => [action, details.fields])).toEqual([
    ['model.added', undefined],
    ['model.changed', ['description', 'majorVersion']],
    ['model-family.changed', ['clinicalDomain']],
  ]);
});

it.each([
  [{ sha256: '0' }],
  [{ address: 'other:1' }],
  [{ regulatoryStatus: 'cleared' }],
  [{ state: 'deleted' }],
  [{ majorVersion: -1 }],
  [{ majorVersion: 2 ** 32 }],
  [{ structures: [{ position: 0, name: 'Other' }] }],
  [{ structures: [{ position: 9, fmaCode: 1 }] }],
  [{ structures: [{ label: 9, fmaCode: 1 }] }],
  [{ structures: [{ fmaCode: 1 }] }],
  [{ regulatoryFrameworks: [{ framework: 'x', status: 'Approved' }] }],
  ['text'],
  [null],
])('%j is refused, and changes nothing', async (changes) => {
  const before = (await test.registry.version('changing'))!;
  const error = await failureOf(test.registry.updateVersion(before.id, changes, SCIENTIST));
  expect(error.kind).toBe('wrong-fields');
  expect(await test.registry.version(before.id)).toEqual(before);
});

it('what a client is told of a structure is changed by its label or its place', async () => {
  const version = await add('told');
  const structures = [
    { label: 1, fmaCode: 7163 },
    { position: 1, type: 'Organ', structureId: 'skin' },
  ];
  const changed = await test.registry.updateVersion(version.id, { structures }, SCIENTIST);
  expect(changed.structures.map(({ fmaCode, type, structureId }) => [fmaCode, type, structureId])).toEqual([
    [7163, 'Organ', '1'],
    [0, 'Organ', 'skin'],
  ]);
});

it('a family’s name is its address and stays', async () => {
  const { familyId } = (await test.registry.version('changing'))!;
  const error = await failureOf(test.registry.updateFamily(familyId, { canonicalName: 'other' }, SCIENTIST));
  expect(error.kind).toBe('wrong-fields');
});

it('the second version of a family leaves what was written about the family', async () => {
  const { familyId } = (await test.registry.version('changing'))!;
  const second = await add('changing', '1.1.0');
  expect(second.familyId).toBe(familyId);
  expect((await test.registry.family(familyId))!.clinicalDomain).toBe('IO');
});

it('retired and brought back, each audited as what it is', async () => {
  const version = await add('resting');
  await test.registry.updateVersion(version.id, { state: 'retired' }, SCIENTIST);
  expect(await test.registry.version('resting')).toBeUndefined();
  expect((await test.registry.materialise(version.id)).sha256).toBe(version.sha256);
  await test.registry.updateVersion(version.id, { state: 'active' }, SCIENTIST);
  expect((await test.registry.version('resting'))!.id).toBe(version.id);
  const actions = (await test.audited()).filter(({ id }) => id === version.id).map(({ action }) => action);
  expect(actions).toEqual(['model.added', 'model.retired', 'model.reactivated']);
});

it('a model that jobs need stays; afterwards row, family and bytes go', async () => {
  const version = await add('leaving');
  const blobs = await test.storedBlobs();
  needed.add(version.id);
  const error = await failureOf(test.registry.remove(version.id, SCIENTIST));
  expect([error.kind, await test.storedBlobs()]).toEqual(['in-use', blobs]);
  needed.delete(version.id);
  await test.registry.remove(version.id, SCIENTIST);
  expect(await test.registry.version(version.id)).toBeUndefined();
  expect(await test.registry.family(version.familyId)).toBeUndefined();
  expect(await test.storedBlobs()).toBe(blobs - 1);
  expect(await test.actions()).toContain('model.removed');
  expect((await failureOf(test.registry.remove(version.id, SCIENTIST))).kind).toBe('not-found');
  expect((await add('leaving')).sha256).toBe(version.sha256);
});

it('the program’s own models can be retired, not removed', async () => {
  const { id } = (await test.registry.version('ct-basic'))!;
  expect((await failureOf(test.registry.remove(id, SCIENTIST))).kind).toBe('shipped');
  await test.registry.updateVersion(id, { state: 'retired' }, SCIENTIST);
  expect(await test.registry.version('ct-basic')).toBeUndefined();
  // Still retired after the next start.
  expect(await (await test.open()).version('ct-basic')).toBeUndefined();
});

it('a Python module is kept beside the model, replaced, and goes with it', async () => {
  const version = await add('pythonic');
  const blobs = await test.storedBlobs();
  const first = await test.registry.storeModule(version.id, 'net.py', bytesOf('one'), SCIENTIST);
  expect(first.pythonModule).toMatchObject({ name: 'net.py', bytes: 3 });
  await test.registry.storeModule(version.id, 'net2.py', bytesOf('second'), SCIENTIST);
  expect(await test.storedBlobs()).toBe(blobs + 1);
  const { name, stream, bytes } = await test.registry.openModule(version.id);
  expect([name, bytes, await text(stream)]).toEqual(['net2.py', 6, 'second']);
  for (const bad of ['../x.py', 'x.sh', 'a b.py', ''])
    expect((await failureOf(test.registry.storeModule(version.id, bad, bytesOf('x'), SCIENTIST))).kind).toBe(
      'wrong-fields',
    );
  await test.registry.remove(version.id, SCIENTIST);
  expect(await test.storedBlobs()).toBe(blobs - 1);
});

it('SegInt’s bytes of a family are kept as they are', async () => {
  const { familyId } = (await test.registry.version('changing'))!;
  expect(await test.registry.protobuf(familyId)).toBeUndefined();
  await test.registry.storeProtobuf(familyId, Uint8Array.of(8, 0, 255), SCIENTIST);
  expect([...(await test.registry.protobuf(familyId))!]).toEqual([8, 0, 255]);
  expect((await test.registry.family(familyId))!.hasProtobuf).toBe(true);
  await test.registry.storeProtobuf(familyId, undefined, SCIENTIST);
  expect(await test.registry.protobuf(familyId)).toBeUndefined();
});

it('the closed lists keep their numbers on the wire', () => {
  expect(bodyPartsExamined).toHaveLength(111);
  const landmarks = {
    Abdomen: 0,
    Bronchus: 10,
    Chest: 20,
    Ear: 30,
    Foot: 40,
    IAC: 50,
    Lung: 60,
    Ovary: 70,
    SSPine: 80,
    Stomach: 90,
    Toe: 100,
    Zygoma: 110,
  };
  for (const [name, number] of Object.entries(landmarks)) expect(bodyPartsExamined[number]).toBe(name);
  expect([modalityTypes.indexOf('PET'), genderTypes.indexOf('Any'), structureTypes.indexOf('Unknown')]).toEqual([
    6, 2, 2,
  ]);
  expect(regulatoryStatuses.indexOf('Withdrawn')).toBe(3);
});
