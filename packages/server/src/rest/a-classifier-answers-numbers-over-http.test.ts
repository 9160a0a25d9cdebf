/** Models that classify or measure, with the typed client against the whole server: jobs, reports, files and refusals. */
import { makePhantom } from '@isocenter/engine';
import { writeNifti, writeZip } from '@isocenter/formats';
import { makeVolume } from '@isocenter/volume';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  classesOfMean,
  meanOf,
  radiograph,
  radiographClassifier,
  radiographUID,
  volumeClassifier,
  volumeMeasure,
} from '../registry/onnx/classifiers.suite.js';
import { linearClassifier } from '../registry/onnx/onnx-files.suite.js';
import { ended, type RestServer, restServer } from './rest-server.suite.js';

let server: RestServer;
let thorax: Buffer<ArrayBuffer>;

beforeAll(async () => {
  server = await restServer();
  const client = server.client('data-scientist');
  for (const [name, { form, bytes }] of Object.entries({
    xray: radiographClassifier,
    volume: volumeClassifier,
    measure: volumeMeasure,
  }))
    await client.models.add({ name, version: '1', form: JSON.stringify(form), body: new Uint8Array(bytes) });
  const form = JSON.stringify({ kind: 'classification', features: ['mean', 'volume', 'age'] });
  await client.models.add({ name: 'linear', version: '1', form, body: new Uint8Array(linearClassifier(false)) });
  const { files } = await makePhantom({ kind: 'thorax', size: [48, 40, 8], spacing: [9, 9, 30] });
  thorax = Buffer.from(await writeZip(files));
}, 120_000);
afterAll(() => server.close());

const zipped = async (...files: Uint8Array[]) =>
  Buffer.from(await writeZip(files.map((bytes, n) => ({ name: `${n}.dcm`, bytes }))));

test('radiographs are told apart, image by image, as JSON and CSV', async () => {
  const client = server.client('service');
  const values = { a: 3000, b: 500 };
  const body = await zipped(...Object.entries(values).map(([name, value]) => radiograph(value, name)));
  const { id, kind } = await client.jobs.create({ model: 'xray', body });
  expect(kind).toBe('predict');
  const job = await ended(client, id);
  expect([job.state, job.failure]).toEqual(['succeeded', undefined]);
  const { answer, predictions = [] } = job.report ?? {};
  expect(answer).toBe('classification');
  expect(predictions).toHaveLength(2);
  for (const [name, value] of Object.entries(values)) {
    const said = predictions.find(({ images }) => images?.[0]?.SOPInstanceUID === radiographUID(name));
    const [dark, bright] = classesOfMean(meanOf(value));
    expect(said?.classes?.map((one) => one.name)).toEqual(['dark', 'bright']);
    expect(said?.classes?.[0].probability).toBeCloseTo(dark, 5);
    expect(said?.classes?.[1].probability).toBeCloseTo(bright, 5);
  }
  const { formats, laterFormats } = await client.results.files({ job: id });
  expect([formats.sort(), laterFormats]).toEqual([['csv', 'json'], []]);
  const file = await client.results.download({ job: id, format: 'json' });
  expect(file.mediaType).toBe('application/json');
  const written = JSON.parse(Buffer.from(await file.read()).toString());
  expect(written.predictions).toEqual(JSON.parse(JSON.stringify(predictions)));
  expect(written.provenance).toMatchObject({ modelName: 'xray', modelVersion: '1' });
  const csv = Buffer.from(await (await client.results.download({ job: id, format: 'csv' })).read()).toString();
  const [heading, ...lines] = csv.trim().split('\r\n');
  expect(heading).toBe('SeriesInstanceUID,SOPInstanceUID,frame,plane,name,probability');
  expect(lines).toHaveLength(4);
  expect(csv).not.toContain('Roentgen');
  await expect(client.results.download({ job: id, format: 'rtstruct' })).rejects.toMatchObject({ status: 409 });
});

test('a volume is classified and measured as a whole, from an upload and from a kept study', async () => {
  const client = server.client('data-scientist');
  const kept = await client.studies.add({ body: new Blob([thorax]) });
  const { id } = await client.jobs.createFromStudy({ study: kept.id, model: 'measure', formats: ['json'] });
  const measured = await ended(client, id);
  const [{ values, images, classes } = {}] = measured.report?.predictions ?? [];
  expect([values?.[0].name, images?.length, classes]).toEqual(['mean HU', 8, undefined]);
  expect(measured.files.map(({ name }) => name)).toEqual(['predictions.json']);
  const other = await client.jobs.create({ model: 'volume', body: thorax });
  const [{ classes: of = [] } = {}] = (await ended(client, other.id)).report?.predictions ?? [];
  expect(of.map(({ name }) => name)).toEqual(['air', 'tissue']);
  expect(of[0].probability + of[1].probability).toBeCloseTo(1, 5);
  expect(of[1].probability).toBeCloseTo(classesOfMean((values?.[0].value ?? 0) / 1000)[1], 1);
  // The same job again says the same.
  const again = await client.jobs.create({ model: 'volume', body: thorax });
  const [{ classes: twice } = {}] = (await ended(client, again.id)).report?.predictions ?? [];
  expect(twice).toEqual(of);
});

test('planes of a NIfTI file count as images', async () => {
  const client = server.client('service');
  const data = new Float32Array(6 * 5 * 3).map((_, n) => 1000 * (1 + Math.floor(n / 30)));
  const volume = makeVolume(data, [6, 5, 3], [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]);
  const { id } = await client.jobs.create({ model: 'xray', body: Buffer.from(await writeNifti(volume)) });
  const { report, failure } = await ended(client, id);
  expect(failure).toBeUndefined();
  expect(report?.predictions?.map(({ plane }) => plane)).toEqual([0, 1, 2]);
  for (const [n, { classes }] of (report?.predictions ?? []).entries())
    expect(classes?.[1].probability).toBeCloseTo(classesOfMean(meanOf(1000 * (n + 1)))[1], 5);
});

test.each<[string, () => Promise<Buffer>, string]>([
  ['no study', async () => Buffer.from('this is no study'), 'no-images'],
  ['a zip of nothing', () => zipped(), 'empty-archive'],
  ['a CT, where radiographs are wanted', async () => thorax, 'wrong-modality'],
  [
    'a radiograph that is cut off',
    () => zipped(radiograph(1, 'a'), radiograph(2, 'b').subarray(0, 800)),
    'damaged-source',
  ],
])('%s fails its job in words', async (_title, body, kind) => {
  const client = server.client('service');
  const { id } = await client.jobs.create({ model: 'xray', body: new Uint8Array(await body()) });
  const { state, failure, files } = await ended(client, id);
  expect([state, failure?.kind, files]).toEqual(['failed', kind, []]);
  expect(JSON.stringify(failure)).not.toMatch(/Roentgen|\/tmp/);
});

test('a damaged radiograph may be left out on purpose', async () => {
  const client = server.client('service');
  const body = await zipped(radiograph(3000, 'a'), radiograph(500, 'b').subarray(0, 800));
  const { id } = await client.jobs.create({ model: 'xray', ignoreDamaged: true, body });
  expect((await ended(client, id)).report?.predictions).toHaveLength(1);
});

test('wishes about masks are refused before a byte of the study comes, and so is a model without images', async () => {
  const client = server.client('service');
  const refused = (wish: object) => expect(client.jobs.create({ model: 'xray', body: thorax, ...wish })).rejects;
  await refused({ formats: ['rtstruct'] }).toMatchObject({ status: 400, kind: 'bad-value' });
  await refused({ requireExact: true }).toMatchObject({ status: 400, kind: 'bad-value' });
  await refused({ model: 'ct-basic', formats: ['json'] }).toMatchObject({ status: 400, kind: 'bad-value' });
  await refused({ model: 'linear' }).toMatchObject({ status: 422, kind: 'model-not-usable' });
});
