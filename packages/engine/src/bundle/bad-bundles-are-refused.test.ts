/** Bundles that are broken, hostile or beyond us: a typed error that says what to do, and nothing was executed. */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeZip } from '@isocenter/formats';
import { Failure, makeVolume } from '@isocenter/volume';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { runBundle } from '../run.js';
import { temporaryFolder } from '../runtime/test-bundles.suite.js';
import type { BundleError } from './bundle-error.js';
import { planOf } from './inference-plan.js';
import { loadBundle } from './load-bundle.js';
import { colourOf } from './metadata.js';
import { unpackBundle } from './unpack-bundle.js';

const root = temporaryFolder();
afterAll(() => root.remove());
let count = 0;

type Parts = { metadata?: unknown; inference?: unknown; files?: Record<string, string> };

function bundleFolder({
  metadata = { version: '1.0.0' },
  inference = {},
  files = { 'models/model.onnx': 'x' },
}: Parts = {}): string {
  const folder = join(root.path, `b${count++}`);
  for (const part of ['configs', 'models']) mkdirSync(join(folder, part), { recursive: true });
  if (metadata !== null)
    writeFileSync(
      join(folder, 'configs/metadata.json'),
      typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
    );
  if (inference !== null)
    writeFileSync(
      join(folder, 'configs/inference.json'),
      typeof inference === 'string' ? inference : JSON.stringify(inference),
    );
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function failure(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (reason) => reason,
  );
  if (!(error instanceof Failure)) throw error;
  return error;
}

const volume = makeVolume(new Uint8Array(8), [2, 2, 2], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
const isocenter = {
  channels: [{ name: 'mr', modalities: ['MR'], units: 'a.u.' }],
  structures: [{ label: 1, name: 'x', colour: [1, 2, 3] }],
};
const withPre = (transforms: unknown[]) => ({
  preprocessing: { _target_: 'Compose', transforms },
  network_def: { _target_: 'isocenter.OnnxNetwork' },
});

describe('loading', () => {
  it.each<[string, Parts, string]>([
    ['no metadata', { metadata: null }, 'missing-file'],
    ['no inference configuration', { inference: null }, 'missing-file'],
    ['YAML only', { inference: null, files: { 'configs/inference.yaml': 'a: 1' } }, 'unsupported-configuration'],
    ['metadata that is no JSON', { metadata: '{' }, 'not-json'],
    ['inference that is a list', { inference: '[]' }, 'invalid-configuration'],
    ['metadata without version', { metadata: { name: 'x' } }, 'invalid-metadata'],
    [
      'a colour out of range',
      {
        metadata: {
          version: '1',
          isocenter: { ...isocenter, structures: [{ label: 1, name: 'x', colour: [1, 2, 300] }] },
        },
      },
      'invalid-metadata',
    ],
    [
      'an unknown field under isocenter',
      { metadata: { version: '1', isocenter: { ...isocenter, frob: 1 } } },
      'invalid-metadata',
    ],
    [
      'a wrong checksum',
      {
        metadata: {
          version: '1',
          isocenter: { ...isocenter, weights: [{ path: 'models/model.onnx', sha256: '0'.repeat(64) }] },
        },
      },
      'checksum-mismatch',
    ],
    [
      'weights that are not there',
      {
        metadata: {
          version: '1',
          isocenter: { ...isocenter, weights: [{ path: 'models/other.onnx', sha256: '0'.repeat(64) }] },
        },
      },
      'missing-file',
    ],
    [
      'weights outside the bundle',
      {
        metadata: {
          version: '1',
          isocenter: { ...isocenter, weights: [{ path: '../../x.onnx', sha256: '0'.repeat(64) }] },
        },
      },
      'outside-bundle',
    ],
  ])('%s', async (_name, parts, kind) => {
    const error = await failure(loadBundle(bundleFolder(parts)));
    expect(error.kind).toBe(kind);
  });

  it('a link that leaves the bundle', async () => {
    const folder = bundleFolder({
      metadata: {
        version: '1',
        isocenter: { ...isocenter, weights: [{ path: 'models/link.onnx', sha256: '0'.repeat(64) }] },
      },
    });
    symlinkSync('/etc/hostname', join(folder, 'models/link.onnx'));
    expect((await failure(loadBundle(folder))).kind).toBe('outside-bundle');
  });

  it('by name: version, unknown names with what there is', async () => {
    const models = join(root.path, 'models');
    mkdirSync(models);
    cpSync(bundleFolder(), join(models, 'alpha'), { recursive: true });
    cpSync(
      bundleFolder({ metadata: { version: '2.0.0', isocenter: { ...isocenter, name: 'alpha' } } }),
      join(models, 'alpha-2'),
      { recursive: true },
    );
    expect((await loadBundle('alpha:2.0.0', { models: [models] })).version).toBe('2.0.0');
    expect((await loadBundle('alpha:1.0.0', { models: [models] })).version).toBe('1.0.0');
    const error = await failure(loadBundle('beta', { models: [models] }));
    expect(error.kind).toBe('not-found');
    expect(error.next).toContain('alpha');
    expect((await failure(loadBundle('../nothing-here', { models: [models] }))).kind).toBe('not-found');
  });

  it('with further configurations and overrides on top, which change the hash', async () => {
    const folder = bundleFolder({
      inference: { a: { x: 1 }, list: [1] },
      files: { 'configs/more.json': '{"+list": [2], "b": 3}' },
    });
    const plain = await loadBundle(folder);
    const more = await loadBundle(folder, { configurations: ['more.json'], overrides: { 'a::x': 5 } });
    expect(more.inference).toEqual({ a: { x: 5 }, list: [1, 2], b: 3 });
    expect(more.configurationHash).not.toBe(plain.configurationHash);
    expect((await failure(loadBundle(folder, { configurations: ['../../x.json'] }))).kind).toBe('outside-bundle');
  });

  it('a zip, once or below a folder; its other entries are left alone', async () => {
    const folder = bundleFolder();
    const entries = ['configs/metadata.json', 'configs/inference.json', 'models/model.onnx'].map((name) => ({
      name: `thing/${name}`,
      bytes: readFileSync(join(folder, name)),
    }));
    const zip = join(root.path, 'thing_v1.0.zip');
    writeFileSync(zip, await writeZip([...entries, { name: 'thing/scripts/evil.py', bytes: Buffer.from('x') }]));
    const cache = join(root.path, 'cache');
    const path = await unpackBundle(zip, cache);
    expect(await unpackBundle(zip, cache)).toBe(path);
    expect(existsSync(join(path, 'scripts'))).toBe(false);
    const bundle = await loadBundle(path);
    expect([bundle.name, bundle.version]).toEqual(['thing', '1.0.0']);
    writeFileSync(zip, await writeZip([{ name: 'readme.txt', bytes: Buffer.from('x') }]));
    expect((await failure(unpackBundle(zip, cache))).kind).toBe('archive');
  });
});

describe('running', () => {
  const planFailure = async (parts: Parts) => {
    const bundle = await loadBundle(bundleFolder(parts));
    return failure(Promise.resolve().then(() => planOf(bundle)));
  };

  it('lists everything that we have no code for', async () => {
    const error = await planFailure({
      inference: {
        ...withPre([
          { _target_: 'LoadImaged', keys: 'image' },
          { _target_: 'scripts.MyTransformd', keys: 'image' },
          { _target_: 'HoVerNetd' },
        ]),
        inferer: { _target_: 'LDMSampler' },
      },
    });
    expect(error.kind).toBe('unsupported-target');
    for (const name of ['scripts.MyTransformd', 'HoVerNetd', 'LDMSampler']) expect(error.message).toContain(name);
    expect(error.message).not.toContain('LoadImaged');
  });

  it.each([
    ["$__import__('os').system('touch %MARK%')", 'refused'],
    ["$os.system('touch %MARK%')", 'refused'],
    ['$().__class__.__base__.__subclasses__()', 'refused'],
    ['$open("%MARK%", "w")', 'refused'],
    ['$@a', 'circular-reference'],
  ])('evil or circular: %s', async (expression, kind) => {
    const mark = join(root.path, `mark${count}`);
    const error = await planFailure({
      inference: {
        a: '@preprocessing',
        preprocessing: expression.replace('%MARK%', mark),
        network_def: { _target_: 'isocenter.OnnxNetwork' },
      },
    });
    expect(error.kind).toBe(kind);
    expect(existsSync(mark)).toBe(false);
  });

  it('code of its own', async () => {
    const error = await planFailure({ inference: { imports: ['$import scripts'], ...withPre([]) } });
    expect(error.message).toContain('scripts');
    expect(error.kind).toBe('unsupported-configuration');
  });

  it('weights that are not ONNX, and no weights', async () => {
    const error = await planFailure({ inference: withPre([]), files: { 'models/model.pt': 'x' } });
    expect(error.kind).toBe('unsupported-weights');
    expect(error.next).toContain('issue D');
    expect((await planFailure({ inference: withPre([]), files: {} })).kind).toBe('missing-file');
  });

  it('an ONNX file that is none', async () => {
    const bundle = await loadBundle(bundleFolder({ metadata: { version: '1', isocenter }, inference: withPre([]) }));
    const error = await failure(runBundle(bundle, { channels: [{ name: 'mr', volume }] }));
    expect(error.kind).toBe('cannot-load');
  });

  it('the wrong images: modality, name, unit, twice, missing', async () => {
    const bundle = await loadBundle(bundleFolder({ metadata: { version: '1', isocenter } }));
    const refuse = async (channels: Parameters<typeof runBundle>[1]['channels']) => {
      const error = (await failure(runBundle(bundle, { channels }))) as BundleError;
      expect(error.kind).toBe('wrong-input');
      expect(error.next).toBeTruthy();
      return error.message;
    };
    expect(await refuse([{ name: 'mr', volume, modality: 'CT' }])).toContain('needs MR, but the images are CT');
    expect(await refuse([{ name: 't1', volume }])).toContain('no channel named "t1"');
    expect(await refuse([{ name: 'mr', volume, units: 'HU' }])).toContain('needs values in a.u.');
    expect(
      await refuse([
        { name: 'mr', volume },
        { name: 'mr', volume },
      ]),
    ).toContain('twice');
    expect(await refuse([])).toContain('also needs: mr');
  });

  it('names and colours of a zoo bundle come from its channel definitions', async () => {
    const metadata = {
      version: '1',
      network_data_format: {
        inputs: { image: { modality: 'CT', channel_def: { 0: 'image' } } },
        outputs: { pred: { channel_def: { 0: 'background', 1: 'spleen', 2: 'liver' } } },
      },
    };
    const { isocenter: key } = await loadBundle(bundleFolder({ metadata }));
    expect(key.channels).toEqual([{ name: 'image', modalities: ['CT'] }]);
    expect(key.structures.map(({ label, name }) => [label, name])).toEqual([
      [1, 'spleen'],
      [2, 'liver'],
    ]);
    expect(new Set(Array.from({ length: 20 }, (_, n) => colourOf(n).join())).size).toBe(20);
  });
});

describeWithData('monai-bundle-mednist-gan', 'the real bundle with PyTorch weights', (path) => {
  it('is read, and refused clearly when it should run', async () => {
    const bundle = await loadBundle(join(path, 'mednist_gan'));
    expect([bundle.name, bundle.version]).toEqual(['mednist_gan', '0.4.2']);
    expect(bundle.weightsHash).toBe('5302e6adf714d568bfc6d5238fc28c03cc99f4d623e3e1c9c5b1a6a56960d395');
    const error = await failure(Promise.resolve().then(() => planOf(bundle)));
    expect(error.kind).toBe('unsupported-weights');
    expect(error.message).toContain('.pt');
  });
});
