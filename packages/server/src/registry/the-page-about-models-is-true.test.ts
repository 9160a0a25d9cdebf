/** docs/how-to/add-models.md names every field there is, and its example does what it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle, runBundleInChild } from '@isocenter/engine';
import { readNifti } from '@isocenter/formats';
import { expect, it } from 'vitest';
import { describeWithData, repositoryRoot } from '../../../../tools/test/needs.js';
import { onnxForm, parseOnnxForm } from './onnx-form.js';
import { familyChangesSchema, versionChangesSchema } from './schemas.js';
import { SCIENTIST, testRegistry } from './test-registry.suite.js';

const page = readFileSync(join(repositoryRoot, 'docs/how-to/add-models.md'), 'utf8');
const example: unknown = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? '');

it('names every field of the form and of what may be changed', () => {
  for (const schema of [onnxForm, familyChangesSchema, versionChangesSchema])
    for (const field of Object.keys(schema.shape)) expect(page, field).toMatch(new RegExp(`\`${field}(\\[\\])?\``));
  expect(parseOnnxForm(example).name).toBe('brain-tissue');
});

/** A whole head through a network: half a minute on two free processors. */
const PATIENCE = 600_000;

describeWithData('models-meshnet', 'the example', (data) => {
  it(
    'finds the voxels of the network’s own reference',
    async () => {
      const test = await testRegistry();
      try {
        const version = await test.registry.add(join(data, 'onnx/model5_gw_ae.onnx'), { form: example }, SCIENTIST);
        const { folder } = await test.registry.materialise(version.id);
        const [volume] = (await readNifti(readFileSync(join(data, 't1_crop.nii.gz')))).channels;
        const channels = [{ name: 'T1', volume, modality: 'MR' }];
        const { prediction } = await runBundleInChild(await loadBundle(folder), { channels });
        if (prediction.kind !== 'segmentation') throw new Error('no segmentation');
        const counts = [0, 0, 0];
        for (const label of prediction.segmentation.layers[0].data) counts[label]++;
        expect(counts.slice(1)).toEqual([518_540, 735_212]);
      } finally {
        await test.close();
      }
    },
    PATIENCE,
  );
});
