/** A real checkpoint through reader, loadState, builder and ONNX Runtime, to the numbers that MONAI gave (monai.md B.5). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { tensorOf } from '../tensor/tensor.js';
import { loadTensor } from '../weights/load-tensor.js';
import { readFile } from '../weights/read-file.suite.js';
import { stateDictOf } from '../weights/state-dict.js';
import { run, statistics } from './golden.suite.js';
import { loadState } from './load-state.js';
import { networkOf } from './registry.js';

describeWithData('monai-bundle-mednist-gan', 'the generator of mednist_gan', (folder) => {
  it('draws the recorded hand', async () => {
    const config = JSON.parse(readFileSync(join(folder, 'mednist_gan/configs/inference.json'), 'utf8'));
    const { _target_, ...given } = config.network_def;
    const args = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, typeof value === 'string' ? config[value.slice(1)] : value]),
    );
    const network = networkOf(_target_, args);
    const checkpoint = await readFile(join(folder, 'mednist_gan/models/model.pt'));
    const { tensors } = stateDictOf(checkpoint);
    const read = new Map(
      await Promise.all([...tensors].map(async ([name, tensor]) => [name, await loadTensor(tensor)] as const)),
    );
    const { weights } = loadState(network, read);
    const latent = tensorOf(
      'float32',
      [1, 64],
      Array.from({ length: 64 }, (_, i) => Math.sin(0.1 * i)),
    );
    const output = await run(network, weights, latent);
    expect(output.shape).toEqual([1, 1, 64, 64]);
    const { mean, deviation, first } = statistics(output);
    expect([mean, deviation, ...first]).toEqual(
      [-1.852519, 2.311486, -2.778678, -3.021589, -3.292257, -3.237725].map((x) => expect.closeTo(x, 5)),
    );
    const row = Array.from(output.data.slice(32 * 64 + 28, 32 * 64 + 36) as Float32Array);
    expect(row).toEqual(
      [-0.259179, -0.216822, -0.208685, -0.188275, -0.010781, 0.201493, 0.428101, 0.581545].map((x) =>
        expect.closeTo(x, 5),
      ),
    );
  });
});
