/** Scan starts, importance maps and blending of sliding windows: the golden values of specs/monai.md C.5, and MONAI itself. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Size3 } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { TargetObject } from '../bundle/config/values.js';
import type { ChannelTensor } from '../transforms/tensor.js';
import { arange, fromMonai, noise, toMonai } from '../transforms/test-tensors.suite.js';
import type { Predict } from './inferer.js';
import { makeInferer } from './make-inferer.js';
import { PlaneCollector } from './plane-collector.js';
import { gaussianImportance, scanStarts } from './scan.js';

/** Two classes that depend on where in its window a voxel lies, so that blending shows: x · (1 + place / n), and −x. */
const placed: Predict = async (window, channels, spatial) => {
  const count = window.length / channels;
  const data = new Float32Array(2 * count);
  for (let at = 0; at < count; at++) {
    data[at] = Math.fround(window[at] * Math.fround(1 + at / count));
    data[count + at] = -window[at];
  }
  return { data, channels: 2, spatial: [...spatial] };
};

const windowMean: Predict = async (window, channels, spatial) => {
  const mean = window.reduce((a, b) => a + b, 0) / window.length;
  return { data: new Float32Array(window.length / channels).fill(mean), channels: 1, spatial: [...spatial] };
};

async function infer(
  name: string,
  args: Record<string, unknown>,
  predict: Predict,
  tensor: ChannelTensor,
): Promise<ChannelTensor> {
  const grid = { size: tensor.size, affine: tensor.affine };
  const collector = new PlaneCollector({ before: [], after: [], network: grid, target: grid, rank: tensor.rank });
  await makeInferer(new TargetObject(name, args as TargetObject['named'])).run(predict, tensor, collector, {});
  return collector.finish();
}

const line = (n: number) => fromMonai(arange(n), 1, [n, 1, 1]);

describe('scan starts', () => {
  it.each([
    [100, 32, 0.25, [0, 24, 48, 68]],
    [200, 96, 0.5, [0, 48, 96, 104]],
    [150, 96, 0.5, [0, 48, 54]],
    [97, 96, 0.5, [0, 1]],
    [130, 96, 0.625, [0, 34]],
    [10, 4, 0.9, [0, 1, 2, 3, 4, 5, 6]],
    [96, 96, 0.5, [0]],
  ])('image %d, window %d, overlap %d', (image, roi, overlap, starts) => {
    expect(scanStarts(image, roi, overlap)).toEqual(starts);
  });
});

describe('gaussian importance', () => {
  it('of 8 voxels', () => {
    const map = gaussianImportance([8], [0.125]);
    for (const [at, value] of [0.00218749, 0.04393693, 0.32465246, 0.88249689].entries()) {
      expect(map[at]).toBeCloseTo(value, 7);
      expect(map[7 - at]).toBeCloseTo(value, 7);
    }
  });

  it('of 96 voxels, alone and cubed', () => {
    const map = gaussianImportance([96], [0.125]);
    for (const [at, value] of [
      [0, 0.001],
      [12, 0.012577223],
      [24, 0.14696884],
      [36, 0.63178802],
      [47, 0.99913234],
    ])
      expect(map[at]).toBeCloseTo(value, 6);
    expect(map.reduce((a, b) => a + b, 0)).toBeCloseTo(30.080244, 4);
    const cube = gaussianImportance([96, 96, 96], [0.125]);
    let [sum, floor] = [0, 0];
    for (const value of cube) {
      sum += value;
      if (value === Math.fround(1e-3)) floor++;
    }
    expect(sum).toBeCloseTo(27642.164, 0);
    expect((100 * floor) / cube.length).toBeCloseTo(57.97, 2);
  });
});

describe('golden blend', () => {
  const blend = async (mode: string, n = 10, roi = 4) =>
    toMonai(
      await infer('SlidingWindowInferer', { roi_size: [roi, 1, 1], overlap: [0.5, 0, 0], mode }, windowMean, line(n)),
    );

  it('constant', async () => {
    expect(await blend('constant')).toEqual([1.5, 1.5, 2.5, 2.5, 4.5, 4.5, 6.5, 6.5, 7.5, 7.5]);
  });

  it('gaussian', async () => {
    const expected = [1.5, 1.5, 1.535972, 3.464028, 3.535973, 5.464028, 5.535973, 7.464027, 7.5, 7.5];
    for (const [at, value] of (await blend('gaussian')).entries()) expect(value).toBeCloseTo(expected[at], 5);
  });

  it('an image smaller than its window is padded with zeros', async () => {
    expect(await blend('constant', 5, 8)).toEqual([1.25, 1.25, 1.25, 1.25, 1.25]);
  });
});

describe('the order of windows is free', () => {
  it('slabs along another axis give the same to float noise', async () => {
    const values = noise(12 * 14 * 64);
    // The long last axis is chosen as the slow one; the same image lying along i keeps MONAI's order.
    const long = await infer(
      'SlidingWindowInferer',
      { roi_size: [8, 8, 8], overlap: 0.5, mode: 'gaussian' },
      placed,
      fromMonai(values, 1, [12, 14, 64]),
    );
    const tall = await infer(
      'SlidingWindowInferer',
      { roi_size: [-1, 8, 8], overlap: 0.5, mode: 'gaussian' },
      placed,
      fromMonai(values, 1, [12, 14, 64]),
    );
    expect(long.channels).toBe(2);
    expect(tall.data.length).toBe(long.data.length);
    expect(makeInferer(new TargetObject('SlidingWindowInferer', { roi_size: [8, 8, 8] })).heldPlanes(long)).toEqual({
      planes: 8,
      slow: 2,
    });
  });

  it('refuses a network that answers on another grid', async () => {
    const half: Predict = async () => ({ data: new Float32Array(4), channels: 1, spatial: [4, 1, 1] });
    await expect(infer('SlidingWindowInferer', { roi_size: [8, 1, 1] }, half, line(20))).rejects.toThrow(
      /was shown 8 × 1 × 1/,
    );
  });
});

describe('TiledInferer', () => {
  /** A local mean with zero padding, radius 3 along each axis: what a "same" convolution does. */
  const local: Predict = async (window, _channels, spatial) => {
    const [a, b, c] = [...spatial, 1, 1];
    const out = new Float32Array(a * b * c);
    for (let i = 0, at = 0; i < a; i++)
      for (let j = 0; j < b; j++)
        for (let k = 0; k < c; k++, at++)
          for (let d = -3; d <= 3; d++) {
            if (i + d >= 0 && i + d < a) out[at] += window[((i + d) * b + j) * c + k];
            if (j + d >= 0 && j + d < b) out[at] += window[(i * b + j + d) * c + k] * 0.5;
            if (k + d >= 0 && k + d < c) out[at] += window[(i * b + j) * c + k + d] * 0.25;
          }
    return { data: out, channels: 1, spatial: [...spatial] };
  };

  it('equals one run over the whole image bit for bit', async () => {
    const image = fromMonai(noise(17 * 13 * 11), 1, [17, 13, 11]);
    const whole = await infer('SimpleInferer', {}, local, image);
    for (const tile of [
      [5, -1, -1],
      [4, 5, 3],
      [-1, -1, 2],
    ]) {
      const tiles = await infer('isocenter.TiledInferer', { tile, halo: 3 }, local, image);
      expect(tiles.data, tile.join()).toEqual(whole.data);
    }
    const short = await infer('isocenter.TiledInferer', { tile: [5, 5, 5], halo: 2 }, local, image);
    expect(short.data).not.toEqual(whole.data);
  });
});

const SCRIPT = `
import json,sys,os,warnings
warnings.filterwarnings('ignore')
import numpy as np, torch, monai.inferers as I
folder=sys.argv[1]; jobs=json.load(open(os.path.join(folder,'jobs.json')))
out=[]
def placed(x):
  n=int(np.prod(x.shape[2:])); w=(1+torch.arange(n,dtype=torch.float64)/n).float().reshape(x.shape[2:])
  return torch.cat([x[:,:1]*w,-x[:,:1]],1)
for name,args,shape in jobs['cases']:
  x=torch.from_numpy(np.fromfile(os.path.join(folder,'image.raw'),dtype=np.float32)[:int(np.prod(shape))].reshape([1,1]+shape))
  y=getattr(I,name)(**args)(x,placed)
  out.append(y.numpy().reshape(-1).astype(float).tolist())
json.dump(out,open(os.path.join(folder,'answer.json'),'w'))
`;

describeWithPython(['monai', 'torch'], 'beside MONAI', (python) => {
  const cases: readonly (readonly [string, Record<string, unknown>, Size3 | readonly [number, number]])[] = [
    ['SlidingWindowInferer', { roi_size: [8, 8, 8], sw_batch_size: 4, overlap: 0.5, mode: 'gaussian' }, [20, 13, 11]],
    [
      'SlidingWindowInferer',
      { roi_size: [8, 6, 10], sw_batch_size: 1, overlap: [0.25, 0.5, 0.7], mode: 'constant' },
      [20, 13, 11],
    ],
    [
      'SlidingWindowInferer',
      { roi_size: [8, 6, 10], sw_batch_size: 2, overlap: 0.625, mode: 'gaussian', sigma_scale: 0.2 },
      [9, 13, 30],
    ],
    [
      'SlidingWindowInferer',
      { roi_size: [16, 16, 8], sw_batch_size: 1, overlap: 0.25, mode: 'gaussian', padding_mode: 'replicate' },
      [13, 20, 5],
    ],
    [
      'SlidingWindowInferer',
      { roi_size: [16, 16, 8], sw_batch_size: 1, overlap: 0.25, mode: 'constant', padding_mode: 'reflect' },
      [13, 20, 6],
    ],
    [
      'SlidingWindowInferer',
      { roi_size: [16, 16, 8], sw_batch_size: 1, overlap: 0.25, mode: 'constant', cval: -1.5 },
      [13, 20, 5],
    ],
    ['SlidingWindowInferer', { roi_size: [-1, 8, 0], sw_batch_size: 1, overlap: 0.5, mode: 'gaussian' }, [9, 20, 7]],
    ['SlidingWindowInferer', { roi_size: [8, 8], sw_batch_size: 3, overlap: 0.5, mode: 'gaussian' }, [21, 13]],
    [
      'SliceInferer',
      { roi_size: [8, 8], sw_batch_size: 1, overlap: 0.5, spatial_dim: 2, mode: 'gaussian' },
      [12, 13, 5],
    ],
    ['SliceInferer', { roi_size: [6, 20], sw_batch_size: 1, overlap: 0.25, spatial_dim: 0 }, [4, 13, 9]],
    ['SimpleInferer', {}, [7, 8, 9]],
  ];
  let answers: number[][] | undefined;
  const image = noise(20 * 20 * 30, 7);

  function ask(): number[][] {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-sw-'));
    try {
      writeFileSync(join(folder, 'image.raw'), new Uint8Array(image.buffer));
      writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ cases }));
      const result = spawnSync(python, ['-c', SCRIPT, folder], { encoding: 'utf8' });
      if (result.status !== 0) throw new Error(result.stderr.slice(-2000));
      return JSON.parse(readFileSync(join(folder, 'answer.json'), 'utf8')) as number[][];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it.each(cases.map(([name, args, size], at) => [name, JSON.stringify(args), size, at] as const))(
    '%s %s on %j',
    async (name, _args, size, at) => {
      answers ??= ask();
      const [ni, nj, nk = 1] = size;
      const tensor = fromMonai(image.slice(0, ni * nj * nk), 1, [ni, nj, nk], undefined, size.length as 2 | 3);
      const got = toMonai(await infer(name, cases[at][1], placed, tensor));
      expect(got.length).toBe(answers[at].length);
      let worst = 0;
      for (let v = 0; v < got.length; v++) worst = Math.max(worst, Math.abs(got[v] - answers[at][v]));
      expect(worst).toBeLessThan(2e-6);
    },
  );
});
