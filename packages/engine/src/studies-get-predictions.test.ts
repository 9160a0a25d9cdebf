/** Promise: a model that classifies is asked about exactly the images that the report names, and answers as its reference. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uidFrom } from '@isocenter/dicom';
import { writeNifti, writeZip } from '@isocenter/formats';
import { makeVolume } from '@isocenter/volume';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithData } from '../../../tools/test/needs.js';
import { syntheticFiles } from '../../dicom/src/series/synthetic.suite.js';
import type { Bundle } from './bundle/bundle.js';
import { loadBundle, shippedModels } from './bundle/load-bundle.js';
import { MOST_IMAGES } from './intake/single-images.js';
import { predictStudy } from './predict.js';
import { NetworkCache } from './runtime/network-cache.js';
import { assembleBundle, npyValues, temporaryFolder } from './runtime/test-bundles.suite.js';
import { segmentStudy } from './segment.js';

const SIDE = 224;
const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const here = { process: 'this', run: { threads: 1, networks: new NetworkCache() } } as const;

describeWithData('model-onnx-brain-tumour-2d', 'a real classifier of single slices', (data) => {
  const folder = temporaryFolder();
  let bundle: Bundle;
  let slice: Uint16Array;
  let expected: Float32Array;
  beforeAll(async () => {
    bundle = await loadBundle(assembleBundle(folder.path, 'brain-tumour-2d', join(data, 'model.onnx')));
    const input = npyValues(join(data, 'check/input_1x224x224x3.npy'));
    slice = Uint16Array.from({ length: SIDE * SIDE }, (_, at) => Math.round(input.data[3 * at] * 255));
    expected = npyValues(join(data, 'check/output_1x2.npy')).data;
  });
  afterAll(() => folder.remove());

  /** MR; slice `real` is the reference's, the others are empty. */
  const mrSeries = (slices: number, real: number) =>
    syntheticFiles({
      rows: SIDE,
      columns: SIDE,
      slices,
      edit: (dataset, k) =>
        dataset
          .set('Modality', 'MR')
          .set('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
          .set('RescaleIntercept', 0)
          .set('PixelData', new Uint8Array((k === real ? slice : new Uint16Array(SIDE * SIDE)).buffer), 'OW'),
    });
  const zip = (files: readonly Uint8Array[]) => writeZip(files.map((bytes, n) => ({ name: `${n}.dcm`, bytes })));
  const isReference = (classes: readonly { readonly probability: number }[] = []) =>
    classes.every(({ probability }, n) => Math.abs(probability - expected[n]) < 1e-4);

  it('is asked about each slice of a DICOM series by itself, and each answer names its image', async () => {
    const report = await predictStudy(await zip(mrSeries(3, 1)), bundle, here);
    expect(report).toMatchObject({ kind: 'predict-report', answer: 'classification', files: [] });
    expect(report.predictions).toHaveLength(3);
    const found = report.predictions.filter(({ classes }) => isReference(classes));
    expect(found.map(({ images }) => images)).toEqual([[{ SOPInstanceUID: uidFrom('series 1') }]]);
    expect(found[0].classes?.map(({ name }) => name)).toEqual(['no', 'yes']);
    expect(found[0].SeriesInstanceUID).toBe(uidFrom('series'));
    expect(found[0].input.size).toEqual([SIDE, SIDE, 1]);
    expect(report.provenance).toMatchObject({ modelName: 'brain-tumour-2d', weightsHash: bundle.weightsHash });
  });

  it('answers the same in a child process, and its files are what the report says', async () => {
    const out = join(folder.path, 'out');
    const options = { outFolder: out, formats: ['json', 'csv'], runUID: '2.25.1', now: new Date(0) } as const;
    const report = await predictStudy(await zip(mrSeries(1, 0)), bundle, options);
    expect(isReference(report.predictions[0].classes)).toBe(true);
    expect(readdirSync(out).sort()).toEqual(['predictions.csv', 'predictions.json']);
    const written = readFileSync(join(out, 'predictions.json'));
    expect(JSON.parse(written.toString()).predictions).toEqual(JSON.parse(JSON.stringify(report.predictions)));
    await predictStudy(await zip(mrSeries(1, 0)), bundle, options);
    expect(readFileSync(join(out, 'predictions.json'))).toEqual(written);
    await expect(
      predictStudy(await zip(mrSeries(1, 0)), bundle, { ...options, overwrite: false }),
    ).rejects.toMatchObject({ kind: 'exists' });
  });

  it('is asked about each plane of a NIfTI file', async () => {
    const planes = new Uint16Array(SIDE * SIDE * 2);
    planes.set(slice, SIDE * SIDE);
    const report = await predictStudy(
      Buffer.from(await writeNifti(makeVolume(planes, [SIDE, SIDE, 2], IDENTITY))),
      bundle,
      here,
    );
    // NIfTI keeps the order of the voxels, so the second plane is the reference's.
    expect(report.predictions.map(({ plane, classes }) => [plane, isReference(classes)])).toEqual([
      [0, false],
      [1, true],
    ]);
  });

  it('answers about the series that was named, and says when there is none', async () => {
    const both = [
      ...mrSeries(1, 0),
      ...syntheticFiles({ slices: 2, seed: 'other', edit: (dataset) => dataset.set('Modality', 'MR') }),
    ];
    const named = await predictStudy(await zip(both), bundle, { ...here, wish: { series: uidFrom('series') } });
    expect(named.predictions).toHaveLength(1);
    expect((await predictStudy(await zip(both), bundle, here)).predictions).toHaveLength(3);
    await expect(predictStudy(await zip(both), bundle, { ...here, wish: { series: 7 } })).rejects.toMatchObject({
      kind: 'unknown-series',
    });
  });

  it('refuses other modalities, too many images, and damage, before the network runs', async () => {
    const refused = (input: Uint8Array) => expect(predictStudy(input, bundle, here)).rejects;
    await refused(await zip(syntheticFiles())).toMatchObject({ kind: 'wrong-modality' });
    const [one, two] = mrSeries(2, 0);
    await refused(await zip([one, two.subarray(0, 600)])).toMatchObject({ kind: 'damaged-source' });
    await refused(await zip([Buffer.from('nothing')])).toMatchObject({ kind: expect.any(String) });
    const many = makeVolume(new Uint8Array(MOST_IMAGES + 1), [1, 1, MOST_IMAGES + 1], IDENTITY);
    await refused(Buffer.from(await writeNifti(many))).toMatchObject({ kind: 'too-many-images' });
  });

  it('stops between two images when it is told to, and leaves no file', async () => {
    const out = join(folder.path, 'stopped');
    const controller = new AbortController();
    const progress = (done: number) => {
      if (done === 1) controller.abort();
    };
    const run = predictStudy(
      await zip(mrSeries(3, 0)),
      bundle,
      { ...here, outFolder: out, formats: ['json'] },
      { signal: controller.signal, progress },
    );
    await expect(run).rejects.toThrow();
    expect(() => readdirSync(out)).toThrow(/ENOENT/);
  });

  it('segments nothing, and a model that segments predicts nothing: each error names the other way', async () => {
    const out = join(folder.path, 'none');
    await expect(
      segmentStudy(await zip(mrSeries(1, 0)), bundle, { formats: 'default', outFolder: out }),
    ).rejects.toMatchObject({ kind: 'no-segmentation', next: expect.stringContaining('isocenter predict') });
    expect(() => readdirSync(out)).toThrow(/ENOENT/);
    const segmenter = await loadBundle(join(shippedModels, 'ct-basic'));
    await expect(predictStudy(await zip(syntheticFiles()), segmenter)).rejects.toMatchObject({
      kind: 'no-prediction',
      next: expect.stringContaining('isocenter segment'),
    });
  });
});
