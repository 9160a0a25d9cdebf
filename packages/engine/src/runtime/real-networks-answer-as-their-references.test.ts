/** Real pretrained networks as bundles: logits, labels and classes equal the references shipped with them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeVolume } from '@isocenter/volume';
import { afterAll, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { loadBundle } from '../bundle/load-bundle.js';
import { runBundle } from '../run.js';
import { loadOnnx } from './onnx-runtime.js';
import { runBundleInChild } from './run-in-child.js';
import { assembleBundle, niftiVolume, npyValues, temporaryFolder } from './test-bundles.suite.js';

/** Both networks see 256³ voxels; other work on the machine must not fail them. */
const PATIENCE_MS = 900_000;
/** DESIGN: the whole 256³ volume under 1.5 GB. */
const MEMORY_BYTES = 1.5e9;
const LINUX = process.platform === 'linux';

describeWithData('models-meshnet', 'MeshNet', (data) => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());

  it.each(['model5_gw_ae', 'model30chan18cls'])('%s: logits of the check box to 1e-3', async (name) => {
    const input = npyValues(join(data, 'check/input_24x20x18.npy'));
    const expected = npyValues(join(data, `check/${name}_logits.npy`));
    const runtime = await loadOnnx(join(data, `onnx/${name}.onnx`), { threads: 1 });
    const spatial = input.shape.slice(-3);
    const { logits } = await runtime.run({ input: { data: input.data, dims: [1, 1, ...spatial] } });
    expect(logits.data.length).toBe(expected.data.length);
    let worst = 0;
    for (let at = 0; at < expected.data.length; at++)
      worst = Math.max(worst, Math.abs(logits.data[at] - expected.data[at]));
    expect(worst).toBeLessThan(1e-3);
    await expect(runtime.run({ image: { data: input.data, dims: [1, 1, ...spatial] } })).rejects.toThrow(
      /no input "image"/,
    );
    await expect(runtime.run({ input: { data: input.data, dims: [1, ...spatial] } })).rejects.toThrow(
      /\[1, 24, 20, 18\]/,
    );
    await expect(runtime.run({})).rejects.toThrow(/also needs the input "input"/);
    await runtime.close();
    await expect(runtime.run({})).rejects.toThrow(/closed/);
  });

  it.each(['model5_gw_ae', 'model30chan18cls'])(
    '%s: labels of the whole head as the shipped reference, under 1.5 GB',
    async (name) => {
      const bundle = await loadBundle(assembleBundle(folder.path, `meshnet/${name}`, join(data, `onnx/${name}.onnx`)));
      const volume = await niftiVolume(join(data, 't1_crop.nii.gz'));
      const { prediction, peakMemoryBytes } = await runBundleInChild(bundle, {
        channels: [{ name: 'T1', volume, modality: 'MR' }],
      });
      if (prediction.kind !== 'segmentation') throw new Error(prediction.kind);
      const { segmentation } = prediction;
      const reference = (await niftiVolume(join(data, `check/${name}_labels.nii.gz`))).data;
      const labels = segmentation.layers[0].data;
      let same = 0;
      for (let at = 0; at < labels.length; at++) if (labels[at] === reference[at]) same++;
      expect(same / labels.length).toBeGreaterThanOrEqual(0.999);
      expect(segmentation.grid.affine).toEqual(volume.affine);
      expect(segmentation.structures.length).toBe(name === 'model5_gw_ae' ? 2 : 17);
      if (LINUX) expect(peakMemoryBytes).toBeLessThan(MEMORY_BYTES);
    },
    PATIENCE_MS,
  );
});

describeWithData('model-onnx-brain-tumour-2d', 'a 2D classifier with channels last', (data) => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());

  it('answers classes with the probabilities of the reference', async () => {
    const bundle = await loadBundle(assembleBundle(folder.path, 'brain-tumour-2d', join(data, 'model.onnx')));
    const input = npyValues(join(data, 'check/input_1x224x224x3.npy'));
    // One grey channel of [row][column][3]: columns run fastest, as in a Volume.
    const slice = Float32Array.from({ length: 224 * 224 }, (_, at) => input.data[3 * at] * 255);
    expect(input.data.every((value, at) => Math.fround(value * 255) === slice[Math.floor(at / 3)])).toBe(true);
    const volume = makeVolume(slice, [224, 224, 1], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    const prediction = await runBundle(bundle, { channels: [{ name: 'slice', volume, modality: 'MR' }] });
    const expected = npyValues(join(data, 'check/output_1x2.npy')).data;
    if (prediction.kind !== 'classification') throw new Error(prediction.kind);
    expect(prediction.classes.map(({ name }) => name)).toEqual(['no', 'yes']);
    for (const [at, { probability }] of prediction.classes.entries()) expect(probability).toBeCloseTo(expected[at], 4);
  });

  it('knows its weights by their hash', async () => {
    const bundle = await loadBundle(assembleBundle(folder.path, 'brain-tumour-2d', join(data, 'model.onnx')));
    expect(bundle.weightsHash).toBe('2a21a74c6a1eaef9ca24aaa2aa0c6a7c32fba53baeda84fff41eb2690a153648');
    expect(readFileSync(bundle.weights as string).length).toBe(923059);
  });
});
