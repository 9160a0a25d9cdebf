/** What is added is there with all its fields, once, under its address, whatever it was packed in. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle, shippedModels } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, SCIENTIST, scratch, type TestRegistry, testRegistry, writeBundle } from './test-registry.suite.js';

const root = scratch();
let test: TestRegistry;
let count = 0;
const fresh = () => join(root.path, `b${count++}`);

beforeAll(async () => {
  test = await testRegistry();
});
afterAll(async () => {
  await test.close();
  root.remove();
});

describe('the program’s own models', () => {
  it('are there from the first start, without a copy of their bytes', async () => {
    const addresses = (await test.registry.versions({ limit: 100 })).versions.map(({ address }) => address).sort();
    expect(addresses).toEqual(['Phantom:0.1', 'PassThroughModel:1729', 'ct-basic:1.0.0'].sort());
    expect(await test.storedBlobs()).toBe(0);
    const { folder, address } = await test.registry.materialise((await test.registry.version('ct-basic'))!.id);
    expect([folder, address]).toEqual([join(shippedModels, 'ct-basic'), 'ct-basic:1.0.0']);
  });

  it('say what their bundles say', async () => {
    const version = (await test.registry.version('ct-basic:1.0.0'))!;
    expect(version).toMatchObject({
      origin: 'shipped',
      kind: 'segmentation',
      takes: 'images',
      majorVersion: 1,
      minorVersion: 0,
      manufacturer: 'Isocenter',
      weightsSha256: 'none',
    });
    expect(version.problem).toBeUndefined();
    expect(version.structures.map(({ name, type }) => [name, type])).toEqual([
      ['Body', 'External'],
      ['Lung_L', 'Organ'],
      ['Lung_R', 'Organ'],
      ['Bone', 'Organ'],
    ]);
  });

  it('are not added a second time by another server', async () => {
    const other = await test.open();
    expect((await other.versions({ limit: 100 })).versions).toHaveLength(3);
    expect((await test.actions()).filter((action) => action === 'model.added')).toHaveLength(3);
  });
});

describe('a bundle', () => {
  it('becomes family, version and structures with the fields of SegInt', async () => {
    const version = await test.registry.add(writeBundle(fresh()), {}, SCIENTIST);
    expect(version).toMatchObject({
      address: 'boxes:1.0.0',
      state: 'active',
      origin: 'added',
      versionId: 'boxes:1.0.0',
      creditsRequired: 0,
      languageCode: 'en',
      regulatoryStatus: 'research use only',
      regulatoryFrameworks: [{ framework: 'research use only', status: 'Investigational', manufacturer: 'Maker' }],
      channels: [{ name: 'ct', modalities: ['CT'], units: 'HU', optional: false }],
    });
    expect(version.structures).toEqual([
      {
        label: 1,
        name: 'Box',
        colour: [255, 0, 10],
        type: 'Organ',
        interpretedType: 'ORGAN',
        fmaCode: 7197,
        code: { value: '7197', scheme: 'FMA', meaning: 'Liver' },
        inputChannelId: 'ct',
        structureId: '1',
      },
      expect.objectContaining({ name: 'Skin', type: 'External', fmaCode: 0, code: null, structureId: '2' }),
    ]);
    const family = (await test.registry.family(version.familyId))!;
    expect(family).toMatchObject({
      canonicalName: 'boxes',
      name: 'Box finder',
      description: 'Finds boxes',
      primaryStructure: 'Box',
      modalities: ['CT'],
      gender: 'Any',
      bodyPartsExamined: [],
      hasProtobuf: false,
    });
    expect(family.inputChannels).toEqual([
      {
        channelId: 'ct',
        constraints: {
          acceptedModalities: ['CT', 'CTA'],
          spacingMin: { x: 0, y: 0, z: 0 },
          spacingMax: { x: 100, y: 100, z: 100 },
          dimensionsMin: { x: 1, y: 1, z: 1 },
          dimensionsMax: { x: 65535, y: 65535, z: 65535 },
          originalDataRequired: false,
          isAxial: false,
        },
      },
    ]);
  });

  it('is the same version from a folder, a zip and a tar, on any day', async () => {
    const folder = writeBundle(fresh(), { name: 'same', files: { 'docs/README.md': 'read me', LICENSE: 'free' } });
    const first = await test.registry.add(folder, {}, SCIENTIST);
    for (const name of ['configs/metadata.json', 'LICENSE']) utimesSync(join(folder, name), 1, 1);
    const zip = `${folder}.zip`;
    const names = ['LICENSE', 'docs/README.md', 'configs/inference.json', 'configs/metadata.json'];
    writeFileSync(
      zip,
      await writeZip(names.map((name) => ({ name: `any-folder/${name}`, bytes: readFileSync(join(folder, name)) }))),
    );
    const tar = `${folder}.tar.gz`;
    execFileSync('tar', ['-czf', tar, '-C', folder, '.']);
    const before = await test.storedBlobs();
    for (const path of [folder, zip, tar]) {
      const again = await test.registry.add(path, { fileName: 'patient-name.zip' }, SCIENTIST);
      expect([again.id, again.sha256]).toEqual([first.id, first.sha256]);
    }
    expect(await test.storedBlobs()).toBe(before);
  });

  it('without a name of its own is called after its folder or file', async () => {
    const unnamed = { metadata: { isocenter: undefined } };
    const folder = writeBundle(join(fresh(), 'spleen_ct'), { version: '0.5.3' });
    const metadata = JSON.parse(readFileSync(join(folder, 'configs/metadata.json'), 'utf8'));
    delete metadata.isocenter;
    writeFileSync(join(folder, 'configs/metadata.json'), JSON.stringify({ ...metadata, ...unnamed.metadata }));
    const version = await test.registry.add(folder, {}, SCIENTIST);
    expect(version.address).toBe('spleen_ct:0.5.3');
    const { folder: place } = await test.registry.materialise(version.id);
    expect((await loadBundle(place)).name).toBe('spleen_ct');
    const names = ['configs/inference.json', 'configs/metadata.json'];
    const entries = names.map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
    const zip = join(root.path, 'upload-1234');
    writeFileSync(zip, await writeZip(entries));
    const uploaded = await test.registry.add(zip, { fileName: 'liver_ct_v0.5.3.zip' }, SCIENTIST);
    expect(uploaded.address).toBe('liver_ct:0.5.3');
    const named = await test.registry.add(zip, { form: { name: 'kidney_ct' } }, SCIENTIST);
    expect(named.address).toBe('kidney_ct:0.5.3');
    // The name of a temporary file must never become that of a model.
    expect((await failureOf(test.registry.add(zip, {}, SCIENTIST))).kind).toBe('wrong-name');
  });

  it('of other bytes cannot take an address', async () => {
    const one = await test.registry.add(writeBundle(fresh(), { name: 'taken' }), {}, SCIENTIST);
    const error = await failureOf(
      test.registry.add(writeBundle(fresh(), { name: 'taken', metadata: { description: 'other' } }), {}, SCIENTIST),
    );
    expect([error.kind, error.where]).toEqual(['address-taken', 'taken:1.0.0']);
    expect(error.next).toContain('version');
    expect((await test.registry.version('taken:1.0.0'))!.sha256).toBe(one.sha256);
  });

  it('added twice at once is one version', async () => {
    const folder = writeBundle(fresh(), { name: 'twins' });
    const other = await test.open({ cacheFolder: join(root.path, 'other-cache') });
    const [a, b, c] = await Promise.all(
      [test.registry, other, other].map((registry) => registry.add(folder, {}, SCIENTIST)),
    );
    expect(new Set([a.id, b.id, c.id]).size).toBe(1);
    expect((await test.registry.versions({ limit: 500 })).versions.filter(({ name }) => name === 'twins')).toHaveLength(
      1,
    );
  });

  it('keeps its scripts in the store, and they reach no folder that something runs from', async () => {
    const files = {
      'scripts/evil.py': 'import os',
      'docs/a.md': 'x',
      '.git/config': 'no',
      'configs/deep/x.json': '{}',
    };
    const version = await test.registry.add(writeBundle(fresh(), { name: 'scripted', files }), {}, SCIENTIST);
    expect(version.files.map(({ path }) => path)).toEqual([
      'configs/deep/x.json',
      'configs/inference.json',
      'configs/metadata.json',
      'docs/a.md',
      'scripts/evil.py',
    ]);
    const { folder } = await test.registry.materialise(version.id);
    expect(existsSync(join(folder, 'scripts'))).toBe(false);
    expect(readdirSync(folder)).toEqual(['configs']);
  });

  it('with weights that are not what it promises is refused', async () => {
    const weights = [{ path: 'models/model.onnx', sha256: '0'.repeat(64) }];
    const folder = writeBundle(fresh(), {
      name: 'damaged',
      isocenter: { weights },
      files: { 'models/model.onnx': 'x' },
    });
    const error = await failureOf(test.registry.add(folder, {}, SCIENTIST));
    expect(error.kind).toBe('checksum-mismatch');
    expect(`${error.message} ${error.where} ${error.next}`).not.toContain(root.path);
    expect(await test.registry.version('damaged')).toBeUndefined();
  });

  it('that this program cannot run yet is kept, and says why', async () => {
    const parts = {
      name: 'torch',
      inference: { network_def: { _target_: 'UNet' } },
      files: { 'models/model.pt': 'pt' },
    };
    const version = await test.registry.add(writeBundle(fresh(), parts), {}, SCIENTIST);
    expect(version.problem).toContain('.pt');
    expect(version.weightsSha256).toBe(createHash('sha256').update('pt').digest('hex'));
  });

  it.each<[string, Parameters<typeof writeBundle>[1], string]>([
    ['with a version that is no address', { version: '1.0 beta' }, 'wrong-name'],
    ['without metadata', { files: { 'configs/metadata.json': '' } }, 'not-json'],
    ['with an unknown field', { isocenter: { frob: 1 } }, 'invalid-metadata'],
  ])('%s is refused', async (_title, parts, kind) => {
    const error = await failureOf(test.registry.add(writeBundle(fresh(), parts), {}, SCIENTIST));
    expect(error.kind).toBe(kind);
    expect(`${error.message} ${error.where} ${error.next}`).not.toContain(root.path);
    expect(readdirSync(test.cacheFolder).filter((name) => name.startsWith('.staging'))).toEqual([]);
  });

  it('is needed: two bundles in one zip, an empty folder and a text are refused', async () => {
    const bytes = Buffer.from('{"version":"1"}');
    const two = join(root.path, 'two.zip');
    writeFileSync(two, await writeZip(['a', 'b'].map((name) => ({ name: `${name}/configs/metadata.json`, bytes }))));
    expect((await failureOf(test.registry.add(two, {}, SCIENTIST))).kind).toBe('not-a-model');
    const text = join(root.path, 'text.zip');
    writeFileSync(text, 'hello');
    expect((await failureOf(test.registry.add(text, {}, SCIENTIST))).kind).toBe('not-a-model');
    expect((await failureOf(test.registry.add(join(root.path, 'nowhere'), {}, SCIENTIST))).kind).toBe('not-found');
  });
});

describe('addresses', () => {
  it('name a version, the newest active one, or nothing', async () => {
    for (const version of ['1.9.0', '1.10.0', '1.10.0-rc.1', '1.2.0'])
      await test.registry.add(writeBundle(fresh(), { name: 'many', version }), {}, SCIENTIST);
    const newest = (await test.registry.version('many'))!;
    expect(newest.version).toBe('1.10.0');
    expect((await test.registry.version(newest.id))!.address).toBe('many:1.10.0');
    await test.registry.updateVersion(newest.id, { state: 'retired' }, SCIENTIST);
    expect((await test.registry.version('many'))!.version).toBe('1.10.0-rc.1');
    expect((await test.registry.version('many:1.10.0'))!.state).toBe('retired');
    for (const none of [
      'many:9',
      'nobody',
      '',
      ':',
      'a b',
      "x'; drop table model_version; --",
      '../x',
      `${'a'.repeat(200)}`,
    ])
      expect(await test.registry.version(none), none).toBeUndefined();
  });

  it('come page by page, newest first, without gaps or repeats', async () => {
    const all = (await test.registry.versions({ limit: 500 })).versions.map(({ id }) => id);
    const seen: string[] = [];
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const page = await test.registry.versions({ limit: 3, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.versions.length).toBeLessThanOrEqual(3);
      seen.push(...page.versions.map(({ id }) => id));
      cursor = page.next;
    }
    expect(seen).toEqual(all);
    expect((await failureOf(test.registry.versions({ limit: 3, cursor: "1'; --" }))).kind).toBe('bad-cursor');
  });
});
