/** Promise: `isocenter predict` prints and writes what the model said of each image, and names the right command for others. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNifti, writeZip } from '@isocenter/formats';
import { makeVolume } from '@isocenter/volume';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { classesOfMean, meanOf, radiograph, radiographUID } from '../../server/src/registry/onnx/classifiers.suite.js';
import { meanNetwork } from '../../server/src/registry/onnx/onnx-files.suite.js';
import { exitCodes } from './exit-codes.js';
import { run, Workplace } from './run-cli.suite.js';

let place: Workplace;
let xray: string;
let age: string;
let input: string;

/** A bundle as somebody writes it by hand; of two axes, one image is shown at a time. */
function bundle(name: string, axes: 2 | 3, output: object, isocenter: object, network: Uint8Array, steps: object[]) {
  const folder = place.path(name);
  const image = { type: 'image', num_channels: 1, spatial_shape: Array(axes).fill('*') };
  const metadata = { version: '1', network_data_format: { inputs: { image }, outputs: { pred: output } }, isocenter };
  const keys = 'image';
  const transforms = [
    { _target_: 'LoadImaged', keys },
    { _target_: 'EnsureChannelFirstd', keys },
    ...(axes === 2 ? [{ _target_: 'SqueezeDimd', keys, dim: -1 }] : []),
    ...steps,
  ];
  const inference = {
    network_def: { _target_: 'isocenter.OnnxNetwork' },
    preprocessing: { _target_: 'Compose', transforms },
    inferer: { _target_: 'SimpleInferer' },
    postprocessing: {
      _target_: 'Compose',
      transforms: axes === 2 ? [{ _target_: 'Activationsd', keys: 'pred', softmax: true }] : [],
    },
  };
  mkdirSync(join(folder, 'configs'), { recursive: true });
  mkdirSync(join(folder, 'models'));
  writeFileSync(join(folder, 'configs/metadata.json'), JSON.stringify(metadata));
  writeFileSync(join(folder, 'configs/inference.json'), JSON.stringify(inference));
  writeFileSync(join(folder, 'models/model.onnx'), network);
  return folder;
}

beforeAll(async () => {
  place = new Workplace();
  const scale = { _target_: 'ScaleIntensityRanged', keys: 'image', a_min: 0, a_max: 4096, b_min: -1, b_max: 1 };
  xray = bundle(
    'xray',
    2,
    { type: 'probabilities' },
    { channels: [{ name: 'xray', modalities: ['CR'] }], classes: [{ name: 'dark' }, { name: 'bright' }] },
    meanNetwork(['rows', 'columns'], 2),
    [scale],
  );
  age = bundle(
    'age',
    3,
    { type: 'tuples' },
    { channels: [{ name: 'ct' }], classes: [{ name: 'mean', unit: "[hnsf'U]" }] },
    meanNetwork(['i', 'j', 'k'], 1),
    [],
  );
  input = place.path('radiographs.zip');
  const files = [radiograph(3000, 'a'), radiograph(500, 'b')];
  writeFileSync(input, await writeZip(files.map((bytes, n) => ({ name: `${n}.dcm`, bytes }))));
});
afterAll(() => place.remove());

it('prints a line for each class of each image', async () => {
  const ran = await run('predict', input, '--model', xray);
  expect(ran.status, ran.all).toBe(exitCodes.ok);
  const [, bright] = classesOfMean(meanOf(3000));
  const line = ran.stdout.split('\n').find((each) => each.includes(radiographUID('a')) && each.includes('bright'));
  expect(line).toContain(bright.toFixed(4));
  expect(ran.all).not.toContain('Roentgen');
});

it('prints one JSON document, and writes the same to files that are not replaced by chance', async () => {
  const out = place.path('out');
  const ran = await run('predict', input, '--model', xray, '--out', out, '--json');
  const document = JSON.parse(ran.stdout);
  expect(document.predictions).toHaveLength(2);
  expect(JSON.parse(readFileSync(join(out, 'predictions.json'), 'utf8')).predictions).toEqual(document.predictions);
  expect(readFileSync(join(out, 'predictions.csv'), 'utf8').split('\r\n')).toHaveLength(6);
  expect((await run('predict', input, '--model', xray, '--out', out)).status).toBe(exitCodes.output);
  expect((await run('predict', input, '--model', xray, '--out', out, '--force')).status).toBe(exitCodes.ok);
});

it('prints a measured value with its unit', async () => {
  const path = place.path('volume.nii');
  const volume = makeVolume(
    Int16Array.from({ length: 24 }, (_, n) => n),
    [2, 3, 4],
    [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  );
  writeFileSync(path, await writeNifti(volume));
  const { status, all, stdout } = await run('predict', path, '--model', age);
  expect([status, all]).toEqual([exitCodes.ok, expect.stringMatching(/mean\s+11\.5 \[hnsf'U\]/)]);
  expect(stdout).not.toContain('probability');
});

it('each command names the other for models that are not its own', async () => {
  const out = place.path('nothing');
  const segment = await run('segment', input, '--model', xray, '--out', out);
  expect([segment.status, segment.all]).toEqual([exitCodes.input, expect.stringContaining('isocenter predict')]);
  expect(existsSync(out)).toBe(false);
  const predict = await run('predict', input, '--model', 'ct-basic');
  expect([predict.status, predict.all]).toEqual([exitCodes.input, expect.stringContaining('isocenter segment')]);
});

it('what is no study is refused, and leaves nothing', async () => {
  const path = place.path('nothing.zip');
  writeFileSync(path, 'PK nothing');
  const out = place.path('of-nothing');
  const ran = await run('predict', path, '--model', xray, '--out', out);
  expect(ran.status, ran.all).toBe(exitCodes.input);
  expect(existsSync(out)).toBe(false);
});
