/** One file carries a model from a server to another, with everything that was written about it, and cannot be changed on the way. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openSources, writeZip } from '@isocenter/formats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text as bytesOf } from '../blobs/test-blobs.suite.js';
import type { ModelVersion } from './model.js';
import { failureOf, SCIENTIST, scratch, type TestRegistry, testRegistry, writeBundle } from './test-registry.suite.js';

const root = scratch();
let here: TestRegistry;
let there: TestRegistry;
let version: ModelVersion;
const file = join(root.path, 'export.zip');

beforeAll(async () => {
  [here, there] = await Promise.all([testRegistry(), testRegistry()]);
  const added = await here.registry.add(
    writeBundle(join(root.path, 'b'), { name: 'traveller', files: { 'models/model.pt': 'weights', 'docs/a.md': 'x' } }),
    {},
    SCIENTIST,
  );
  await here.registry.updateFamily(
    added.familyId,
    { clinicalDomain: 'RO', anatomicalRegion: 'THORAX', bodyPartsExamined: ['Chest', 'Heart'], gender: 'Female' },
    SCIENTIST,
  );
  await here.registry.storeModule(added.id, 'my_model.py', bytesOf('class Model: pass'), SCIENTIST);
  version = await here.registry.updateVersion(
    added.id,
    {
      versionId: 'Traveller One',
      creditsRequired: 2.5,
      createdOn: '2020-07-28T14:42:10Z',
      regulatoryFrameworks: [
        { framework: 'MDR', status: 'Clinical', udi: '(01)0', releaseDate: '2021-01-01T00:00:00Z' },
      ],
      structures: [{ position: 1, fmaCode: 7163, structureId: 'skin-1' }],
      state: 'retired',
    },
    SCIENTIST,
  );
  await here.registry.exportTo(version.id, file);
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  root.remove();
});

it('brings bundle, family, version, structures, state and Python module to another server', async () => {
  const arrived = await there.registry.add(file, { fileName: 'whatever.zip' }, SCIENTIST);
  const own = ['id', 'familyId', 'addedAt'] as const;
  const without = (one: object) =>
    Object.fromEntries(Object.entries(one).filter(([key]) => !own.includes(key as 'id')));
  expect(without(arrived)).toEqual(without(version));
  const [a, b] = [await here.registry.family(version.familyId), await there.registry.family(arrived.familyId)];
  const fields = (one: object | undefined) => ({ ...one, id: 0, createdAt: 0, updatedAt: 0 });
  expect(fields(b)).toEqual(fields(a));
  const module = await there.registry.openModule(arrived.id);
  expect([module.name, await text(module.stream)]).toEqual(['my_model.py', 'class Model: pass']);
  const { folder } = await there.registry.materialise(arrived.id);
  expect(readFileSync(join(folder, 'models/model.pt'), 'utf8')).toBe('weights');
  expect((await there.registry.add(file, {}, SCIENTIST)).id).toBe(arrived.id);
  const again = join(root.path, 'again.zip');
  await there.registry.exportTo(arrived.id, again);
  expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
});

it('exports the program’s own models as well', async () => {
  const path = join(root.path, 'shipped.zip');
  await here.registry.exportTo('ct-basic', path);
  const shipped = (await here.registry.version('ct-basic'))!;
  expect((await there.registry.add(path, {}, SCIENTIST)).sha256).toBe(shipped.sha256);
});

it('is a zip that others can read, with a checksum of every part', async () => {
  const opened = await openSources(file);
  const parts = new Map<string, Uint8Array>();
  for (const source of opened.sources) parts.set(source.name, await source.read());
  await opened.close();
  expect([...parts.keys()]).toEqual(['bundle.zip', 'manifest.json', 'module.py', 'registry.json']);
  const manifest = JSON.parse(Buffer.from(parts.get('manifest.json')!).toString());
  for (const [name, { bytes, sha256 }] of Object.entries<{ bytes: number; sha256: string }>(manifest.files)) {
    expect(createHash('sha256').update(parts.get(name)!).digest('hex'), name).toBe(sha256);
    expect(parts.get(name)!.byteLength).toBe(bytes);
  }
  expect(manifest.files['bundle.zip'].sha256).toBe(version.sha256);
});

it.each([
  ['registry.json', (text: string) => text.replace('Traveller One', 'Traveller Two'), 'damaged'],
  ['module.py', (text: string) => `${text}#`, 'damaged'],
  ['manifest.json', (text: string) => text.replace('"format": 1', '"format": 99'), 'not-a-model'],
  ['manifest.json', () => '{', 'not-a-model'],
])('with a changed %s is refused, and nothing is added', async (name, change, kind) => {
  const opened = await openSources(file);
  const entries: { name: string; bytes: Uint8Array }[] = [];
  for (const source of opened.sources) entries.push({ name: source.name, bytes: await source.read() });
  await opened.close();
  const changed = entries.map((entry) =>
    entry.name === name ? { name, bytes: Buffer.from(change(Buffer.from(entry.bytes).toString())) } : entry,
  );
  const path = join(root.path, 'changed.zip');
  writeFileSync(path, await writeZip(changed));
  const other = await testRegistry();
  try {
    expect((await failureOf(other.registry.add(path, {}, SCIENTIST))).kind).toBe(kind);
    expect(await other.addedRows()).toBe(0);
    expect(await other.storedBlobs()).toBe(0);
  } finally {
    await other.close();
  }
});

it('cut anywhere is refused', async () => {
  const bytes = readFileSync(file);
  const path = join(root.path, 'cut.zip');
  for (const share of [0.2, 0.5, 0.9, 0.999]) {
    writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * share)));
    expect((await failureOf(here.registry.add(path, {}, SCIENTIST))).name, String(share)).toBe('ArchiveError');
  }
});
