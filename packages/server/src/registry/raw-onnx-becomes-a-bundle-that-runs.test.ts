/** An ONNX file and its form become a version that the engine runs, with the answer that the network gives. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle, planOf, runBundle } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { makeVolume, type Volume } from '@isocenter/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import {
  linearClassifier,
  meanNetwork,
  node,
  onnxModel,
  signNetwork,
  tensorPort,
  weights,
} from './onnx/onnx-files.suite.js';
import { failureOf, SCIENTIST, scratch, type TestRegistry, testRegistry } from './test-registry.suite.js';

const root = scratch();
let test: TestRegistry;
let count = 0;
const file = (bytes: Uint8Array) => {
  const path = join(root.path, `m${count++}.onnx`);
  writeFileSync(path, bytes);
  return path;
};

beforeAll(async () => {
  test = await testRegistry();
});
afterAll(async () => {
  await test.close();
  root.remove();
});

/** A CT of 2 mm voxels, 40 × 36 × 20: a box of 100 HU in a surrounding of −900 HU. */
function boxImage(size: readonly [number, number, number] = [40, 36, 20]): Volume {
  const data = new Int16Array(size[0] * size[1] * size[2]).fill(-900);
  for (let k = 5; k < 12; k++)
    for (let j = 8; j < 30; j++) for (let i = 10; i < 22; i++) data[i + size[0] * (j + size[1] * k)] = 100;
  return makeVolume(data, size, [2, 0, 0, -40, 0, 2, 0, -30, 0, 0, 2, 5, 0, 0, 0, 1]);
}
const BOX_VOXELS = 12 * 22 * 7;
/** −400 HU becomes zero. */
const intensity = { kind: 'window', from: -1000, to: 200, low: -1, high: 1 } as const;

const form = (rest: object = {}) => ({
  name: `raw${count++}`,
  version: '1.0',
  kind: 'segmentation',
  channels: [{ name: 'ct', modalities: ['CT'], units: 'HU' }],
  intensity,
  structures: [{ name: 'Box', colour: [9, 8, 7], type: 'ORGAN', fmaCode: 7197 }],
  ...rest,
});

async function run(bytes: Uint8Array, wish: object, volume = boxImage()) {
  const version = await test.registry.add(file(bytes), { form: wish }, SCIENTIST);
  const { folder } = await test.registry.materialise(version.id);
  const bundle = await loadBundle(folder);
  const prediction = await runBundle(
    bundle,
    { channels: [{ name: 'ct', volume, modality: 'CT', units: 'HU' }] },
    {},
    { threads: 1 },
  );
  return { version, bundle, prediction };
}

async function voxels(bytes: Uint8Array, wish: object, volume = boxImage()): Promise<number> {
  const { prediction } = await run(bytes, wish, volume);
  if (prediction.kind !== 'segmentation') throw new Error('no segmentation');
  const { layers, structures } = prediction.segmentation;
  const { layer, label } = structures[0];
  return (layers[layer].data as Uint8Array).reduce((sum: number, value: number) => sum + (value === label ? 1 : 0), 0);
}

describe('a segmentation network', () => {
  it('runs in windows, and its version has the fields of the form', async () => {
    const wish = form({
      window: [16, 16, 16],
      description: 'finds boxes',
      anatomicalRegion: 'THORAX',
      bodyPartsExamined: ['Chest'],
      gender: 'Female',
      regulatoryFrameworks: [{ framework: 'none', status: 'Investigational' }],
    });
    const { version, prediction, bundle } = await run(signNetwork(['i', 'j', 'k']), wish);
    expect(version).toMatchObject({
      kind: 'segmentation',
      takes: 'images',
      regulatoryStatus: 'not a medical device: research use only',
    });
    expect(version.problem).toBeUndefined();
    expect(version.structures[0]).toMatchObject({
      name: 'Box',
      label: 1,
      colour: [9, 8, 7],
      type: 'Organ',
      fmaCode: 7197,
    });
    expect(version.regulatoryFrameworks).toMatchObject([{ framework: 'none' }]);
    expect(await test.registry.family(version.familyId)).toMatchObject({
      anatomicalRegion: 'THORAX',
      bodyPartsExamined: ['Chest'],
      gender: 'Female',
    });
    expect(bundle.weightsHash).toBe(version.weightsSha256);
    expect(prediction.kind).toBe('segmentation');
    expect(await voxels(signNetwork(['i', 'j', 'k']), form({ window: [16, 16, 16] }))).toBe(BOX_VOXELS);
  });

  it.each<[string, Uint8Array, object]>([
    ['with the window that the graph fixes', signNetwork([24, 24, 16]), {}],
    ['with the usual window, larger than the image', signNetwork(['i', 'j', 'k']), {}],
    ['on whole images', signNetwork(['i', 'j', 'k']), { window: 'whole' }],
    ['on whole images padded to a multiple', signNetwork(['i', 'j', 'k']), { window: 'whole', divisibleBy: 16 }],
    [
      'as one sigmoid mask per channel',
      signNetwork(['i', 'j', 'k']),
      { window: [16, 16, 16], activation: 'sigmoid', structures: [{ name: 'Box', channel: 1, label: 5 }] },
    ],
    ['slice by slice, rows first', signNetwork(['rows', 'columns']), {}],
    ['slice by slice in windows', signNetwork([16, 24]), {}],
    ['keeping the largest part', signNetwork(['i', 'j', 'k']), { keepLargest: true }],
  ])('%s gives every voxel of the box', async (_title, bytes, rest) => {
    expect(await voxels(bytes, form(rest))).toBe(BOX_VOXELS);
  });

  it('comes in one zip with its form, for forms that fit no request line', async () => {
    const wish = form({ window: [16, 16, 16] });
    const entries = [
      { name: 'form.json', bytes: Buffer.from(JSON.stringify(wish)) },
      { name: 'network.onnx', bytes: signNetwork(['i', 'j', 'k']) },
    ];
    const version = await test.registry.add(file(await writeZip(entries)), {}, SCIENTIST);
    expect([version.name, version.structures[0].name]).toEqual([wish.name, 'Box']);
    const broken = [{ name: 'form.json', bytes: Buffer.from('{') }, entries[1]];
    expect((await failureOf(test.registry.add(file(await writeZip(broken)), {}, SCIENTIST))).kind).toBe('wrong-form');
  });

  it('at its own spacing is brought back to the grid of the image', async () => {
    const found = await voxels(signNetwork(['i', 'j', 'k']), form({ spacing: [1, 1, 1], window: [48, 48, 48] }));
    expect(Math.abs(found / BOX_VOXELS - 1)).toBeLessThan(0.1);
  });

  it('of fixed size on whole images is fed resized ones', async () => {
    const found = await voxels(signNetwork([32, 32, 32]), form({ window: 'whole', resize: [32, 32, 32] }));
    expect(Math.abs(found / BOX_VOXELS - 1)).toBeLessThan(0.15);
  });
});

describe('a classifier', () => {
  it.each<[string, Uint8Array, readonly [number, number, number]]>([
    ['of volumes of a fixed size', meanNetwork([16, 16, 16], 2), [40, 36, 20]],
    ['of volumes of any size', meanNetwork(['i', 'j', 'k'], 2), [40, 36, 20]],
    ['of single slices', meanNetwork([24, 24], 2), [40, 36, 1]],
  ])('%s answers its classes', async (_title, bytes, size) => {
    const wish = form({ kind: 'classification', structures: [], classes: ['air', 'tissue'] });
    const { version, prediction } = await run(bytes, wish, boxImage(size));
    expect([version.kind, version.classes]).toEqual(['classification', ['air', 'tissue']]);
    if (prediction.kind !== 'classification') throw new Error('no classification');
    expect(prediction.classes.map(({ name }) => name)).toEqual(['air', 'tissue']);
    const [air, tissue] = prediction.classes.map(({ probability }) => probability);
    expect(air + tissue).toBeCloseTo(1, 5);
    expect(air).toBeGreaterThan(tissue);
  });

  it('of one number answers that number', async () => {
    const wish = form({ kind: 'regression', structures: [], intensity: { kind: 'none' }, classes: ['mean HU'] });
    const { version, prediction } = await run(meanNetwork(['i', 'j', 'k'], 1), wish);
    expect(version.kind).toBe('regression');
    if (prediction.kind !== 'classification') throw new Error('no numbers');
    expect(prediction.classes[0].name).toBe('mean HU');
    expect(prediction.classes[0].probability).toBeCloseTo(-900 + (1000 * BOX_VOXELS) / (40 * 36 * 20), 1);
  });
});

describe('a classical model', () => {
  it.each([true, false])('(dictionaries as output: %s) is checked, named, and given no study', async (zipMap) => {
    const wish = {
      name: `linear${count++}`,
      version: '1.0',
      kind: 'classification',
      features: ['mean', 'volume', 'age'],
    };
    const version = await test.registry.add(file(linearClassifier(zipMap)), { form: wish }, SCIENTIST);
    expect(version).toMatchObject({ kind: 'classification', takes: 'features', classes: ['benign', 'malignant'] });
    expect(version.problem).toContain('vector of numbers');
    const { folder } = await test.registry.materialise(version.id);
    const { metadata } = await loadBundle(folder);
    expect(metadata.network_data_format?.inputs.features.channel_def).toEqual({ 0: 'mean', 1: 'volume', 2: 'age' });
    const { loadOnnx } = await import('@isocenter/engine');
    const runtime = await loadOnnx(join(folder, 'models/model.onnx'), { threads: 1 });
    const answer = await runtime.run({ x: { data: Float32Array.of(1, 0, 2), dims: [1, 3] } });
    await runtime.close();
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    expect(answer.scores.data[0]).toBeCloseTo(sigmoid(-1 + 4 + 0.5), 5);
    expect(answer.scores.data[1]).toBeCloseTo(sigmoid(1 - 4 - 0.5), 5);
  });
});

describe('what does not fit is refused with what to do', () => {
  const sign = signNetwork(['i', 'j', 'k']);
  const twoInputs = onnxModel({
    nodes: [node({ operator: 'Add', inputs: ['a', 'b'], outputs: ['y'] })],
    inputs: [tensorPort('a', [1, 1, 'i', 'j', 'k']), tensorPort('b', [1, 1, 'i', 'j', 'k'])],
    outputs: [tensorPort('y', [1, 1, 'i', 'j', 'k'])],
  });
  const bytesInput = onnxModel({
    nodes: [node({ operator: 'Identity', inputs: ['a'], outputs: ['y'] })],
    inputs: [tensorPort('a', [1, 1, 'i', 'j', 'k'], 2)],
    outputs: [tensorPort('y', [1, 1, 'i', 'j', 'k'], 2)],
  });
  const unknownOperator = onnxModel({
    nodes: [node({ operator: 'FrobnicateTensor', inputs: ['a'], outputs: ['y'] })],
    inputs: [tensorPort('a', [1, 1, 'i', 'j', 'k'])],
    outputs: [tensorPort('y', [1, 1, 'i', 'j', 'k'])],
  });
  const outside = (place: string) =>
    onnxModel({
      nodes: [node({ operator: 'Mul', inputs: ['x', 'w'], outputs: ['y'] })],
      inputs: [tensorPort('x', [1, 1, 'i', 'j', 'k'])],
      outputs: [tensorPort('y', [1, 1, 'i', 'j', 'k'])],
      weights: [weights('w', [1], new Float32Array(1), place)],
    });

  it.each<[string, Uint8Array, object | undefined, string]>([
    ['no form', sign, undefined, 'not-a-model'],
    ['a form without a name', sign, { kind: 'segmentation', version: '1' }, 'wrong-form'],
    ['an unknown field', sign, form({ frob: 1 }), 'wrong-form'],
    ['a name that is no address', sign, form({ name: 'a b' }), 'wrong-form'],
    ['two channels for a network of one', sign, form({ channels: [{ name: 'a' }, { name: 'b' }] }), 'wrong-form'],
    ['no structures', sign, form({ structures: [] }), 'wrong-form'],
    ['more structures than channels', sign, form({ structures: [{ name: 'a' }, { name: 'b' }] }), 'wrong-form'],
    [
      'a structure on a channel that is not there',
      sign,
      form({ structures: [{ name: 'a', channel: 7 }] }),
      'wrong-form',
    ],
    ['a window that the graph does not take', signNetwork([24, 24, 16]), form({ window: [32, 32, 32] }), 'wrong-form'],
    ['a flat window for a volume', sign, form({ window: [32, 32] }), 'wrong-form'],
    ['masks called classes', sign, form({ kind: 'classification', structures: [] }), 'wrong-form'],
    ['classes called masks', meanNetwork(['i', 'j', 'k'], 2), form(), 'unsupported-model'],
    ['masks with channels last', sign, form({ layout: 'channels-last' }), 'wrong-form'],
    ['two inputs', twoInputs, form(), 'unsupported-model'],
    ['an input of bytes', bytesInput, form(), 'unsupported-model'],
    ['an operator that does not exist', unknownOperator, form(), 'unsupported-model'],
    ['weights in another file', outside('model.onnx.data'), form(), 'unsupported-model'],
    ['weights outside', outside('../../../etc/passwd'), form(), 'not-a-model'],
    ['a cut file', sign.subarray(0, sign.length - 20), form(), 'not-a-model'],
  ])('%s', async (_title, bytes, wish, kind) => {
    const before = await test.addedRows();
    const error = await failureOf(test.registry.add(file(bytes), { form: wish }, SCIENTIST));
    expect([error.kind, error.message]).toEqual([kind, expect.any(String)]);
    expect(error.next ?? '').not.toBe('');
    expect(`${error.message} ${error.where} ${error.next}`).not.toContain(root.path);
    expect(await test.addedRows()).toBe(before);
  });

  it('a trial over its limits is ended', async () => {
    const impatient = await test.open({ onnx: { checkTimeMs: 1 } });
    const error = await failureOf(impatient.add(file(sign), { form: form() }, SCIENTIST));
    expect([error.kind, error.message]).toEqual(['unsupported-model', expect.stringContaining('longer than 1 ms')]);
    const narrow = await test.open({ onnx: { checkMemoryBytes: 1 } });
    expect((await failureOf(narrow.add(file(sign), { form: form() }, SCIENTIST))).message).toContain('memory');
  });
});

/** Importing MONAI alone takes a minute on a busy machine. */
const PATIENCE = 400_000;

describeWithPython(['monai'], 'MONAI', (python) => {
  it(
    'builds transforms, inferer and post-processing of generated bundles',
    async () => {
      const wishes = [
        form({ spacing: [1, 1, 2], keepLargest: true }),
        form({ window: [16, 16, 16], activation: 'sigmoid', divisibleBy: 8 }),
        form({ intensity: { kind: 'z-score' }, window: 'whole' }),
      ];
      const folders: string[] = [];
      for (const wish of wishes) {
        const version = await test.registry.add(file(signNetwork(['i', 'j', 'k'])), { form: wish }, SCIENTIST);
        const { folder } = await test.registry.materialise(version.id);
        expect(planOf(await loadBundle(folder)).preprocessing.length).toBeGreaterThan(2);
        folders.push(folder);
      }
      const script = `
import sys
from monai.bundle import ConfigParser
for folder in sys.argv[1:]:
    parser = ConfigParser()
    parser.read_config(folder + '/configs/inference.json')
    parser.read_meta(folder + '/configs/metadata.json')
    names = [type(t).__name__ for t in parser.get_parsed_content('preprocessing').transforms]
    names.append(type(parser.get_parsed_content('inferer')).__name__)
    print(','.join(names + [type(t).__name__ for t in parser.get_parsed_content('postprocessing').transforms]))
`;
      const said = execFileSync(python, ['-W', 'ignore', '-c', script, ...folders], { encoding: 'utf8' });
      const start = 'LoadImaged,EnsureChannelFirstd,Orientationd';
      const lines = said.split('\n').filter((line) => line.startsWith(start));
      expect(lines).toEqual([
        `${start},Spacingd,ScaleIntensityRanged,SlidingWindowInferer,Activationsd,Invertd,AsDiscreted,KeepLargestConnectedComponentd,SaveImaged`,
        `${start},ScaleIntensityRanged,DivisiblePadd,SlidingWindowInferer,Activationsd,Invertd,AsDiscreted,SaveImaged`,
        `${start},NormalizeIntensityd,SimpleInferer,Activationsd,Invertd,AsDiscreted,SaveImaged`,
      ]);
    },
    PATIENCE,
  );
});
