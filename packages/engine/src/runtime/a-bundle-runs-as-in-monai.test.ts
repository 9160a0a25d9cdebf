/** The same bundle configuration and weights, run by MONAI in Python and by us: the labels agree voxel by voxel. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lpsToRas, makeVolume } from '@isocenter/volume';
import { afterAll, expect, it } from 'vitest';
import { describeWithData, describeWithPython } from '../../../../tools/test/needs.js';
import { loadBundle } from '../bundle/load-bundle.js';
import { runBundle } from '../run.js';
import { boxOf, niftiVolume, temporaryFolder } from './test-bundles.suite.js';

const key = '@image_key';
const preprocessing = (more: object[]) => ({
  _target_: 'Compose',
  transforms: [
    {
      _target_: 'Orientationd',
      keys: key,
      axcodes: 'RAS',
      labels: [
        ['L', 'R'],
        ['P', 'A'],
        ['I', 'S'],
      ],
    },
    { _target_: 'Spacingd', keys: key, pixdim: '@pixdim', mode: 'bilinear' },
    { _target_: 'ScaleIntensityRanged', keys: key, a_min: 5, a_max: '$230 + 5', b_min: 0, b_max: 1, clip: true },
    ...more,
  ],
});
const invert = (nearest: boolean) => ({
  _target_: 'Invertd',
  keys: 'pred',
  transform: '@preprocessing',
  orig_keys: key,
  nearest_interp: nearest,
  to_tensor: true,
});
const argmax = { _target_: 'AsDiscreted', keys: 'pred', argmax: true };
const softmax = { _target_: 'Activationsd', keys: 'pred', softmax: true };
const network = { _target_: 'isocenter.OnnxNetwork' };

/** The shapes of the zoo's spleen_ct (invert, then arg-max), wholeBody_ct (arg-max, then nearest) and prostate bundles. */
const bundles: Readonly<Record<string, Record<string, unknown>>> = {
  'spleen style': {
    preprocessing: preprocessing([]),
    inferer: {
      _target_: 'SlidingWindowInferer',
      roi_size: [32, 32, 32],
      sw_batch_size: 4,
      overlap: 0.5,
      mode: 'gaussian',
    },
    postprocessing: { _target_: 'Compose', transforms: [softmax, invert(false), argmax] },
  },
  'whole-body style': {
    preprocessing: preprocessing([
      { _target_: 'CropForegroundd', keys: key, source_key: key, margin: 1, allow_smaller: true },
    ]),
    inferer: {
      _target_: 'SlidingWindowInferer',
      roi_size: [40, 32, 24],
      sw_batch_size: 1,
      overlap: 0.25,
      mode: 'gaussian',
      padding_mode: 'replicate',
    },
    postprocessing: { _target_: 'Compose', transforms: [softmax, argmax, invert(true)] },
  },
  'largest component before inverting': {
    preprocessing: preprocessing([
      { _target_: 'NormalizeIntensityd', keys: key },
      { _target_: 'DivisiblePadd', keys: key, k: 8 },
    ]),
    inferer: { _target_: 'SimpleInferer' },
    postprocessing: {
      _target_: 'Compose',
      transforms: [
        argmax,
        { _target_: 'KeepLargestConnectedComponentd', keys: 'pred', applied_labels: [1, 2] },
        invert(true),
      ],
    },
  },
};

const SCRIPT = `
import json,sys,os,warnings
warnings.filterwarnings('ignore')
import numpy as np, torch, onnxruntime as ort
from monai.bundle import ConfigParser
from monai.data import MetaTensor
folder=sys.argv[1]; job=json.load(open(os.path.join(folder,'job.json')))
image=np.fromfile(os.path.join(folder,'image.raw'),dtype=np.float32).reshape([1]+job['size'])
session=ort.InferenceSession(job['model'],providers=['CPUExecutionProvider'])
for n,config in enumerate(job['configs']):
  p=ConfigParser(config); p.parse()
  d={'image':MetaTensor(torch.from_numpy(image.copy()),affine=torch.tensor(job['affine'],dtype=torch.float64).reshape(4,4))}
  d=p.get_parsed_content('preprocessing')(d)
  x=d['image']
  y=p.get_parsed_content('inferer')(x.as_tensor()[None],lambda w: torch.cat([torch.from_numpy(session.run(None,{'input':np.ascontiguousarray(one[None].numpy())})[0]) for one in w]))[0]
  d['pred']=MetaTensor(y,meta=x.meta,applied_operations=x.applied_operations)
  d=p.get_parsed_content('postprocessing')(d)
  np.asarray(d['pred'])[0].astype(np.uint8).tofile(os.path.join(folder,'labels-%d.raw'%n))
`;

/** Where class scores are equal to the last bit of float32, summing order decides; a handful of voxels in 10^5. */
const SHARE = 0.9999;

describeWithData('models-meshnet', 'bundles', (data) => {
  describeWithPython(['monai', 'torch', 'onnxruntime', 'skimage'], 'beside MONAI', (python) => {
    const folder = temporaryFolder();
    afterAll(() => folder.remove());
    const size = [61, 48, 43] as const;
    // Anisotropic, and its axes are neither in order nor all in the direction of RAS.
    const affine = [-1.1, 0, 0, 50, 0, 0, 0.9, -20, 0, -1.7, 0, 33, 0, 0, 0, 1];
    const configOf = (name: string) => ({ image_key: 'image', pixdim: [1.5, 1.4, 1.3], ...bundles[name] });
    let asked = false;

    async function image() {
      const box = boxOf(await niftiVolume(join(data, 't1_crop.nii.gz')), [90, 100, 100], size);
      return makeVolume(box.data, size, affine);
    }

    async function ask(): Promise<void> {
      if (asked) return;
      const { data: voxels } = await image();
      const cOrder = new Float32Array(voxels.length);
      for (let i = 0, at = 0; i < size[0]; i++)
        for (let j = 0; j < size[1]; j++)
          for (let k = 0; k < size[2]; k++, at++) cOrder[at] = voxels[i + size[0] * (j + size[1] * k)];
      writeFileSync(join(folder.path, 'image.raw'), new Uint8Array(cOrder.buffer));
      writeFileSync(
        join(folder.path, 'job.json'),
        JSON.stringify({
          size,
          affine: lpsToRas(affine),
          model: join(data, 'onnx/model5_gw_ae.onnx'),
          configs: Object.keys(bundles).map(configOf),
        }),
      );
      const result = spawnSync(python, ['-c', SCRIPT, folder.path], { encoding: 'utf8' });
      if (result.status !== 0) throw new Error(result.stderr.slice(-2000));
      asked = true;
    }

    it.each(Object.keys(bundles))('%s', async (name) => {
      await ask();
      const path = join(folder.path, name.replaceAll(' ', '-'));
      for (const part of ['configs', 'models']) mkdirSync(join(path, part), { recursive: true });
      writeFileSync(join(path, 'configs/metadata.json'), JSON.stringify({ version: '1.0.0', monai_version: '1.6.0' }));
      writeFileSync(join(path, 'configs/inference.json'), JSON.stringify({ ...configOf(name), network_def: network }));
      copyFileSync(join(data, 'onnx/model5_gw_ae.onnx'), join(path, 'models/model.onnx'));
      const prediction = await runBundle(await loadBundle(path), {
        channels: [{ name: 'image', volume: await image() }],
      });
      if (prediction.kind !== 'segmentation') throw new Error(prediction.kind);
      const labels = prediction.segmentation.layers[0].data;
      const expected = readFileSync(join(folder.path, `labels-${Object.keys(bundles).indexOf(name)}.raw`));
      expect(expected.length).toBe(labels.length);
      const seen = new Map<number, number>();
      let same = 0;
      for (let i = 0, at = 0; i < size[0]; i++)
        for (let j = 0; j < size[1]; j++)
          for (let k = 0; k < size[2]; k++, at++) {
            const label = labels[i + size[0] * (j + size[1] * k)];
            seen.set(label, (seen.get(label) ?? 0) + 1);
            if (label === expected[at]) same++;
          }
      expect(seen.size).toBeGreaterThan(1);
      expect(same / labels.length).toBeGreaterThanOrEqual(SHARE);
    });
  });
});
