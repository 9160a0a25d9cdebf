/** Every chain of transforms here is run by MONAI itself and by us on the same oblique, anisotropic image. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Affine, lpsToRas, type Size3 } from '@isocenter/volume';
import { expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { undoSteps } from './spatial-step.js';
import { fromMonai, noise, toMonai, transformed } from './test-tensors.suite.js';

type Chain = readonly (readonly [string, Record<string, unknown>])[];

const SIZE: Size3 = [13, 11, 9];
const CHANNELS = 2;
const straight: Affine = [0, 0, 2.5, -30, -0.9, 0, 0, 40, 0, 1.1, 0, 7, 0, 0, 0, 1];
const oblique: Affine = [0.88, -0.12, 0.3, -30, 0.1, 0.95, 0.4, 40, -0.2, -0.3, 2.2, 7, 0, 0, 0, 1];

// Spacings are chosen so that no voxel falls half way between two: there MONAI's nearest neighbour follows rounding noise.
const chains: readonly (readonly [string, Affine, Chain])[] = [
  ['orientation', straight, [['Orientationd', { axcodes: 'RAS' }]]],
  ['orientation oblique', oblique, [['Orientationd', { axcodes: 'SAL' }]]],
  ['spacing', straight, [['Spacingd', { pixdim: [1.45, 1.55, 2.1], mode: 'bilinear' }]]],
  ['spacing up', straight, [['Spacingd', { pixdim: [0.7, 0.61, 0.53], mode: 'bilinear' }]]],
  ['spacing nearest', straight, [['Spacingd', { pixdim: [1.5, 1.5, 2], mode: 'nearest' }]]],
  ['spacing oblique', oblique, [['Spacingd', { pixdim: [1.5, 1.5, 2], mode: 'bilinear' }]]],
  [
    'spleen chain',
    straight,
    [
      ['Orientationd', { axcodes: 'RAS' }],
      ['Spacingd', { pixdim: [1.5, 1.5, 2], mode: 'bilinear' }],
      ['ScaleIntensityRanged', { a_min: 0.1, a_max: 0.8, b_min: 0, b_max: 1, clip: true }],
    ],
  ],
  [
    'crop then spacing',
    straight,
    [
      ['SpatialCropd', { roi_start: [2, 1, 0], roi_end: [11, 9, 8] }],
      ['Spacingd', { pixdim: [1.2, 1.3, 1.4], mode: 'bilinear' }],
    ],
  ],
  [
    'spacing then crop foreground',
    straight,
    [
      ['Spacingd', { pixdim: [1.2, 1.3, 1.4], mode: 'bilinear' }],
      ['ThresholdIntensityd', { threshold: 0.97 }],
      ['CropForegroundd', { source_key: 'image', margin: 1 }],
    ],
  ],
  ['resize', straight, [['Resized', { spatial_size: [8, 16, 9], mode: 'trilinear' }]]],
  ['resize area', straight, [['Resized', { spatial_size: [6, 7, 12] }]]],
  ['resize longest', straight, [['Resized', { spatial_size: 20, size_mode: 'longest', mode: 'trilinear' }]]],
  [
    'pad',
    straight,
    [
      ['SpatialPadd', { spatial_size: [16, 8, 12] }],
      ['DivisiblePadd', { k: 5 }],
    ],
  ],
  ['centre crop', straight, [['CenterSpatialCropd', { roi_size: [6, 20, 4] }]]],
  ['normalise', straight, [['NormalizeIntensityd', { nonzero: true, channel_wise: true }]]],
  ['scale', straight, [['ScaleIntensityd', { minv: -1, maxv: 1, channel_wise: true }]]],
  [
    'percentiles',
    straight,
    [['ScaleIntensityRangePercentilesd', { lower: 3, upper: 96, b_min: 0, b_max: 1, clip: true, channel_wise: true }]],
  ],
  [
    'percentiles relative',
    straight,
    [['ScaleIntensityRangePercentilesd', { lower: 10, upper: 90, b_min: 0, b_max: 1, relative: true }]],
  ],
  ['flip', straight, [['Flipd', { spatial_axis: [0, 2] }]]],
  ['softmax', straight, [['Activationsd', { softmax: true }]]],
  [
    'sigmoid, threshold',
    straight,
    [
      ['Activationsd', { sigmoid: true }],
      ['AsDiscreted', { threshold: 0.6 }],
    ],
  ],
  ['repeat', straight, [['RepeatChanneld', { repeats: 2 }]]],
];

const SCRIPT = `
import json,sys,os,warnings
warnings.filterwarnings('ignore')
import numpy as np, torch, monai.transforms as T
from monai.data import MetaTensor
folder=sys.argv[1]; jobs=json.load(open(os.path.join(folder,'jobs.json')))
image=np.fromfile(os.path.join(folder,'image.raw'),dtype=np.float32).reshape(jobs['shape'])
answer=[]
for name,affine,chain in jobs['chains']:
  x=MetaTensor(torch.from_numpy(image.copy()),affine=torch.tensor(affine,dtype=torch.float64).reshape(4,4))
  pre=T.Compose([getattr(T,n)(keys='image',**a) for n,a in chain])
  d=pre({'image':x})
  out=d['image']
  one={'shape':list(out.shape),'affine':np.asarray(out.affine,dtype=float).reshape(-1).tolist(),'values':np.asarray(out,dtype=float).reshape(-1).tolist()}
  spatial=[n for n,_ in chain if n in ('Orientationd','Spacingd','SpatialCropd','CropForegroundd','Resized','SpatialPadd','DivisiblePadd','CenterSpatialCropd','Flipd')]
  if spatial:
    pred=MetaTensor(torch.as_tensor(np.asarray(out)).clone(),affine=out.affine)
    for nearest in (False,True):
      inv=T.Invertd(keys='pred',transform=pre,orig_keys='image',nearest_interp=nearest,to_tensor=True)
      e=inv({'image':d['image'],'pred':MetaTensor(torch.as_tensor(np.asarray(out)).clone(),meta=out.meta,applied_operations=out.applied_operations)})
      one['nearest' if nearest else 'linear']=np.asarray(e['pred'],dtype=float).reshape(-1).tolist()
  answer.append(one)
json.dump(answer,open(os.path.join(folder,'answer.json'),'w'))
`;

interface Answer {
  readonly shape: number[];
  readonly affine: number[];
  readonly values: number[];
  readonly linear?: number[];
  readonly nearest?: number[];
}

/** float32 in both, summed in different orders. */
const TOLERANCE = 2e-5;

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let at = 0; at < actual.length; at++) worst = Math.max(worst, Math.abs(actual[at] - expected[at]));
  expect(worst).toBeLessThan(TOLERANCE);
}

describeWithPython(['monai', 'torch'], 'forward and inverse agree with MONAI', (python) => {
  let answers: Answer[] | undefined;
  const image = noise(CHANNELS * SIZE[0] * SIZE[1] * SIZE[2]);

  function ask(): Answer[] {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-monai-'));
    try {
      writeFileSync(join(folder, 'image.raw'), new Uint8Array(image.buffer));
      writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ shape: [CHANNELS, ...SIZE], chains }));
      const result = spawnSync(python, ['-c', SCRIPT, folder], { encoding: 'utf8' });
      if (result.status !== 0) throw new Error(result.stderr.slice(-2000));
      return JSON.parse(readFileSync(join(folder, 'answer.json'), 'utf8')) as Answer[];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it.each(chains.map(([name], at) => [name, at] as const))('%s', (_name, at) => {
    answers ??= ask();
    const [, affine, chain] = chains[at];
    const answer = answers[at];
    const entry = transformed(fromMonai(image, CHANNELS, SIZE, affine), chain);
    expect([entry.tensor.channels, ...entry.tensor.size]).toEqual(answer.shape);
    expectClose([...lpsToRas(entry.tensor.affine)], answer.affine);
    expectClose(toMonai(entry.tensor), answer.values);
    if (answer.linear) expectClose(toMonai(undoSteps(entry.tensor, entry.steps, false)), answer.linear);
    if (answer.nearest) expectClose(toMonai(undoSteps(entry.tensor, entry.steps, true)), answer.nearest);
  });
});
