/** What a worker runs is what was added: damage is found and mended, what cannot be mended is refused. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { loadBundle, shippedModels } from '@isocenter/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelVersion } from './model.js';
import { failureOf, SCIENTIST, scratch, type TestRegistry, testRegistry, writeBundle } from './test-registry.suite.js';

const root = scratch();
let test: TestRegistry;
let version: ModelVersion;
let count = 0;
const fresh = (name: string) => join(root.path, `${name}${count++}`);
const weights = 'w'.repeat(4096);

beforeAll(async () => {
  test = await testRegistry();
  const files = { 'models/model.pt': weights };
  version = await test.registry.add(writeBundle(fresh('b'), { name: 'weighty', files }), {}, SCIENTIST);
});
afterAll(async () => {
  await test.close();
  root.remove();
});

const repairs = async () => (await test.actions()).filter((action) => action === 'model.cache-repaired').length;

describe('a materialised bundle', () => {
  it('lies in a folder named by its hash, for its owner only, and loads', async () => {
    const ref = await test.registry.materialise(version.id);
    expect(ref).toEqual({
      address: 'weighty:1.0.0',
      sha256: version.sha256,
      folder: join(test.cacheFolder, version.sha256, 'weighty'),
    });
    expect(statSync(ref.folder).mode & 0o077).toBe(0);
    expect(statSync(join(ref.folder, 'models/model.pt')).mode & 0o077).toBe(0);
    const bundle = await loadBundle(ref.folder);
    expect([bundle.name, bundle.version, bundle.weightsHash]).toEqual(['weighty', '1.0.0', version.weightsSha256]);
    expect(await test.registry.materialise('weighty:1.0.0')).toEqual(ref);
  });

  it('is unpacked once by many callers and by another process at the same time', async () => {
    rmSync(test.cacheFolder, { recursive: true });
    mkdirSync(test.cacheFolder);
    const other = await test.open();
    const refs = await Promise.all(
      Array.from({ length: 8 }, (_, at) => (at % 2 ? test.registry : other).materialise(version.id)),
    );
    expect(new Set(refs.map(({ folder }) => folder)).size).toBe(1);
    expect(readdirSync(test.cacheFolder)).toEqual([version.sha256]);
    expect(await repairs()).toBe(0);
  });

  it.each<[string, (file: string) => void]>([
    ['is cut short', (file) => writeFileSync(file, 'w')],
    ['is gone', (file) => rmSync(file)],
    ['is newer', (file) => utimesSync(file, 5, 5)],
    [
      'was changed within its size and time',
      (file) => {
        const { atime, mtime } = statSync(file);
        writeFileSync(file, `v${weights.slice(1)}`);
        utimesSync(file, atime, mtime);
      },
    ],
  ])('whose file %s is unpacked again, and the repair is audited', async (_title, damage) => {
    const before = await repairs();
    const { folder } = await test.registry.materialise(version.id);
    damage(join(folder, 'models/model.pt'));
    await test.registry.materialise(version.id);
    expect(readFileSync(join(folder, 'models/model.pt'), 'utf8')).toBe(weights);
    expect(await repairs()).toBe(before + 1);
    expect(readdirSync(test.cacheFolder)).toEqual([version.sha256]);
  });

  it('damaged while many ask for it is mended once for all of them', async () => {
    const registries = [test.registry, await test.open(), await test.open()];
    for (let round = 0; round < 5; round++) {
      const { folder } = await test.registry.materialise(version.id);
      writeFileSync(join(folder, 'models/model.pt'), `${round}`);
      const refs = await Promise.all(Array.from({ length: 9 }, (_, at) => registries[at % 3].materialise(version.id)));
      expect(new Set(refs.map((ref) => ref.folder))).toEqual(new Set([folder]));
      expect(readFileSync(join(folder, 'models/model.pt'), 'utf8')).toBe(weights);
      expect(readdirSync(test.cacheFolder)).toEqual([version.sha256]);
    }
  });

  it('changed while nobody looked is found by the next process through its hashes', async () => {
    const { folder } = await test.registry.materialise(version.id);
    const file = join(folder, 'configs/inference.json');
    const { atime, mtime, size } = statSync(file);
    writeFileSync(file, readFileSync(file, 'utf8').replace('Phantom', 'phantom'));
    utimesSync(file, atime, mtime);
    expect(statSync(file).size).toBe(size);
    const next = await test.open();
    await next.materialise(version.id);
    expect(readFileSync(file, 'utf8')).toContain('Phantom');
  });

  it('whose stored bytes were changed is refused, and nothing is left behind', async () => {
    const added = await test.registry.add(writeBundle(fresh('b'), { name: 'rotten' }), {}, SCIENTIST);
    const { blob_id } = await test.db
      .selectFrom('model_version')
      .select('blob_id')
      .where('id', '=', added.id)
      .executeTakeFirstOrThrow();
    const file = await test.blobs.toFile(blob_id as string);
    const bytes = readFileSync(file.path);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(file.path, bytes);
    await file.done();
    const error = await failureOf(test.registry.materialise(added.id));
    expect(error.kind).toBe('checksum-mismatch');
    expect(readdirSync(test.cacheFolder).filter((name) => name.includes(added.sha256))).toEqual([]);
    expect((await failureOf(test.registry.exportTo(added.id, join(root.path, 'rotten.zip')))).kind).toBe(
      'checksum-mismatch',
    );
    expect(existsSync(join(root.path, 'rotten.zip'))).toBe(false);
  });

  it('that nobody knows is not found, and an aborted wish is not begun', async () => {
    expect((await failureOf(test.registry.materialise('nobody:1'))).kind).toBe('not-found');
    await expect(test.registry.materialise(version.id, AbortSignal.abort(new Error('stopped')))).rejects.toThrow(
      'stopped',
    );
  });
});

describe('the cache', () => {
  it('removes what was not used for longest, never what was just handed out', async () => {
    const cacheFolder = fresh('small');
    let now = Date.parse('2026-01-01T00:00:00Z');
    const clock = () => new Date(now);
    const registry = await test.open({ cacheFolder, clock, cacheLimitBytes: 10_000, cacheGraceMs: 60_000 });
    const added: ModelVersion[] = [];
    for (const name of ['one', 'two', 'three', 'four']) {
      const files = { 'models/model.pt': `${name}${weights}` };
      added.push(await registry.add(writeBundle(fresh('b'), { name, files }), {}, SCIENTIST));
    }
    const cached = () => readdirSync(cacheFolder).sort();
    const hashes = (...at: number[]) => at.map((n) => added[n].sha256).sort();
    await registry.materialise(added[0].id);
    await registry.materialise(added[1].id);
    await registry.materialise(added[2].id);
    // All within the grace: over the limit, and nothing goes.
    expect(cached()).toEqual(hashes(0, 1, 2));
    now += 120_000;
    await registry.materialise(added[0].id);
    now += 1000;
    await registry.materialise(added[3].id);
    expect(cached()).toEqual(hashes(0, 3));
    expect(await registry.materialise(added[1].id)).toMatchObject({ sha256: added[1].sha256 });
  });
});

describe('what a dead process left in the cache', () => {
  it('goes at the next start, what a living one may still write stays', async () => {
    const cacheFolder = fresh('left');
    const left = ['.staging-old', `.${'a'.repeat(64)}.old.part`, '.staging-young'].map((name) =>
      join(cacheFolder, name),
    );
    for (const folder of left) mkdirSync(folder, { recursive: true });
    for (const folder of left.slice(0, 2)) utimesSync(folder, 1, 1);
    await test.open({ cacheFolder });
    expect(readdirSync(cacheFolder)).toEqual(['.staging-young']);
  });
});

describe('the program’s own models', () => {
  const copy = () => {
    const folder = fresh('shipped');
    cpSync(shippedModels, folder, { recursive: true });
    return folder;
  };

  it('follow an upgrade of the program: new fields, new versions, retirement of what is gone', async () => {
    const upgraded = copy();
    const file = join(upgraded, 'ct-basic/configs/metadata.json');
    const metadata = JSON.parse(readFileSync(file, 'utf8'));
    metadata.isocenter.structures[0].name = 'Outside';
    writeFileSync(file, JSON.stringify(metadata));
    rmSync(join(upgraded, 'Phantom'), { recursive: true });
    writeBundle(join(upgraded, 'new-one'), { name: 'new-one', version: '2.0' });
    const before = (await test.registry.version('ct-basic'))!;
    await test.registry.updateVersion(before.id, { state: 'retired' }, SCIENTIST);
    const next = await test.open({ shippedModels: upgraded });
    const after = (await next.version('ct-basic:1.0.0'))!;
    expect(after.id).toBe(before.id);
    expect(after.sha256).not.toBe(before.sha256);
    expect(after.structures[0].name).toBe('Outside');
    expect(after.state).toBe('retired');
    expect((await next.version('new-one'))!.origin).toBe('shipped');
    expect((await next.version('Phantom:0.1'))!.state).toBe('retired');
    expect((await failureOf(next.materialise('Phantom:0.1'))).kind).toBe('not-here');
    // The old program beside the new one must not run what the registry no longer means.
    expect((await failureOf(test.registry.materialise(after.id))).kind).toBe('checksum-mismatch');
    await test.open();
    expect((await test.registry.version('ct-basic:1.0.0'))!.sha256).toBe(before.sha256);
  });

  it('changed on disk under a running server are refused', async () => {
    const changed = copy();
    const registry = await test.open({ shippedModels: changed });
    const file = join(changed, 'PassThroughModel/configs/inference.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('PassThroughModel', 'Phantom'));
    const error = await failureOf(registry.materialise('PassThroughModel:1729'));
    expect([error.kind, error.message.includes(root.path)]).toEqual(['checksum-mismatch', false]);
  });
});
