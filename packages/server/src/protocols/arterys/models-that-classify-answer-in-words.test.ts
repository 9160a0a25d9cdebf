/** Models of the registry that classify or measure, on Arterys routes over HTTP: labels by series and by image, and no parts. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uidFrom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  classesOfMean,
  meanOf,
  radiograph,
  radiographClassifier,
  radiographUID,
  volumeClassifier,
  volumeMeasure,
} from '../../registry/onnx/classifiers.suite.js';
import { SCIENTIST } from '../../registry/test-registry.suite.js';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { protocolServer } from '../protocol-server.suite.js';
import { ask, JSON_TEXT, readAnswer, requestBody } from './arterys.suite.js';
import { predictionsToAnswer } from './predictions-to-answer.js';
import { arterys } from './routes.js';

const SERIES = uidFrom('series of radiographs');
const places = (number: number) => String(Number(number.toFixed(4)));

/** What is said of a radiograph of one value. */
function saidOf(value: number) {
  const [dark, bright] = classesOfMean(meanOf(value));
  return {
    label: bright > dark ? 'bright' : 'dark',
    value: places(Math.max(dark, bright)),
    nested_labels: { dark: places(dark), bright: places(bright) },
  };
}

describe('a model that classifies, on a route', () => {
  let server: RestServer;
  beforeAll(async () => {
    const routes = {
      '/xray': 'xray:1',
      '/volume': { model: 'volume:1', output: 'label-mask' },
      '/measure': 'measure:1',
    };
    server = await protocolServer([arterys], { flags: { protocols: JSON.stringify({ arterys: { routes } }) } });
    for (const [name, { form, bytes }] of Object.entries({
      xray: radiographClassifier,
      volume: volumeClassifier,
      measure: volumeMeasure,
    })) {
      const path = join(server.folder, `${name}.onnx`);
      await writeFile(path, bytes);
      await server.parts.registry.add(path, { form: { name, version: '1', ...form } }, SCIENTIST);
    }
  }, 120_000);
  afterAll(() => server.close());

  const post = (path: string, files: readonly Uint8Array[], json = JSON_TEXT) =>
    ask(server.url, path, { body: requestBody(files, json) });

  it('says of one radiograph what it shows, and which image it is', async () => {
    const { json, bodies } = readAnswer(await post('/xray', [radiograph(3000, 'a')]));
    expect(bodies).toEqual([]);
    expect(json).toEqual({
      protocol_version: '1.0',
      parts: [],
      series_ml_json: { [SERIES]: { ...saidOf(3000), SOPInstanceUID: radiographUID('a') } },
      study_ml_json: { model: 'xray:1', task: 'classification', ...saidOf(3000) },
    });
  });

  it('says it of each of several radiographs, whatever their order, by SOPInstanceUID', async () => {
    const values = { a: 3000, b: 500, c: 2100 };
    const sent = Object.entries(values).map(([name, value]) => radiograph(value, name));
    const expected = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [radiographUID(name), saidOf(value)]),
    );
    for (const files of [sent, [...sent].reverse()]) {
      const { json } = readAnswer(await post('/xray', files));
      expect(json.series_ml_json).toEqual({ [SERIES]: { images: expected } });
      expect(json.study_ml_json).toEqual({ model: 'xray:1', task: 'classification', images: 3 });
    }
  });

  it('says one thing of a volume, whatever output is asked for', async () => {
    const { files } = await makePhantom({ size: [48, 40, 8], spacing: [9, 9, 30] });
    const images = files.map(({ bytes }) => bytes);
    const command = '{"inference_command": "get-bounding-box-2d"}';
    const [plain, asked] = [
      readAnswer(await post('/volume', images)),
      readAnswer(await post('/volume', images, command)),
    ];
    expect(plain.json.parts).toEqual([]);
    expect(asked.json).toEqual(plain.json);
    const [said, ...others] = Object.values<Record<string, unknown>>(plain.json.series_ml_json);
    expect(others).toEqual([]);
    // A thorax in air: much more air than tissue.
    expect(said).toMatchObject({
      label: 'air',
      nested_labels: { air: expect.any(String), tissue: expect.any(String) },
    });
    expect(Number(said?.value)).toBeGreaterThan(0.5);
    const measured = readAnswer(await post('/measure', images));
    expect(measured.json.study_ml_json).toMatchObject({ task: 'regression', label: 'mean HU' });
    const mean = Number(measured.json.study_ml_json.value);
    expect(mean).toBeGreaterThan(-1000);
    // Both networks saw the same voxels, up to what the window of the classifier cuts off.
    const { tissue } = (said?.nested_labels ?? {}) as { readonly tissue?: string };
    expect(Number(tissue)).toBeCloseTo(classesOfMean(mean / 1000)[1], 1);
  });

  it.each<[string, string, () => readonly Uint8Array[], number]>([
    ['a model of radiographs, a CT', '/xray', () => [radiograph(1, 'ct', (d) => d.set('Modality', 'CT'))], 422],
    ['a damaged radiograph', '/xray', () => [radiograph(1, 'cut').subarray(0, 700)], 422],
    ['a colour picture', '/xray', () => [radiograph(1, 'rgb', (d) => d.set('SamplesPerPixel', 3))], 422],
    ['a model of volumes, radiographs', '/volume', () => [radiograph(1, 'a'), radiograph(2, 'b')], 422],
    ['an attachment alone', '/xray', () => [Buffer.from('a note')], 422],
  ])('refuses, given to %s', async (_title, path, files, status) => {
    const answer = await post(path, files());
    expect([answer.status, answer.body.toString()]).toEqual([status, expect.not.stringContaining('Roentgen')]);
    await expect.poll(() => readdir(server.parts.temporaryFolder)).toEqual([]);
  });

  it('names no patient in the log', () => {
    expect(server.logged.join('')).not.toMatch(/Roentgen|series of radiographs/);
  });
});

it('classes of one name, names of prototypes and tiny probabilities stay themselves', () => {
  const classes = [
    { name: '__proto__', probability: 1e-9 },
    { name: 'x', probability: 0.25 },
    { name: 'x', probability: 0.75 },
  ];
  const { json } = predictionsToAnswer({
    model: 'm:1',
    answer: 'classification',
    predictions: [{ SeriesInstanceUID: '1.2', classes }],
  });
  expect(JSON.stringify(json.series_ml_json)).toBe(
    '{"1.2":{"label":"x","value":"0.75","nested_labels":{"__proto__":"0","x":"0.25","x (3)":"0.75"}}}',
  );
});

it('a value has its unit', () => {
  const { json } = predictionsToAnswer({
    model: 'm:1',
    answer: 'regression',
    predictions: [{ SeriesInstanceUID: '1.2', values: [{ name: 'age', value: 12.3456789, unit: 'a' }] }],
  });
  expect(json.study_ml_json).toMatchObject({ label: 'age', value: '12.3457 a' });
});

it('tiles and frames of one image keep an answer each', () => {
  const of = (frameNumber?: number) => ({
    SeriesInstanceUID: '1.2',
    images: [{ SOPInstanceUID: '1.3', ...(frameNumber === undefined ? {} : { frameNumber }) }],
    classes: [{ name: 'x', probability: 1 }],
  });
  const { json } = predictionsToAnswer({
    model: 'm:1',
    answer: 'classification',
    predictions: [of(), of(), of(7)],
  });
  const images = json.series_ml_json?.['1.2']?.images ?? {};
  expect(Object.keys(images)).toEqual(['1.3', '1.3 (2)', '1.3 frame 7']);
});
