/** Real files: every name, type, shape and every byte equals a list made by an unpickler of its own, without PyTorch. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import type { NamedTensor } from './checkpoint.js';
import { loadTensor } from './load-tensor.js';
import { readFile } from './read-file.suite.js';
import { stateDictOf } from './state-dict.js';

interface Row {
  readonly name: string;
  readonly shape: string;
  readonly dtype: string;
  readonly sha256: string;
  readonly mean: number;
}

function rowsOf(path: string): Row[] {
  const [, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [name, shape, dtype, , sha256, mean] = line.split('\t');
    return { name, shape, dtype, sha256, mean: Number(mean) };
  });
}

async function rowOf(tensor: NamedTensor, name = tensor.name): Promise<Omit<Row, 'mean'>> {
  const sha256 = createHash('sha256')
    .update(await tensor.read())
    .digest('hex');
  // The lists write the shape of a scalar as 1.
  return { name, shape: tensor.shape.join('x') || '1', dtype: tensor.dtype, sha256 };
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const withoutMean = ({ name, shape, dtype, sha256 }: Row) => ({ name, shape, dtype, sha256 });

describeWithData('monai-bundle-mednist-gan', 'the generator of a real MONAI bundle', (path) => {
  it('equals the shipped list, tensor by tensor', async () => {
    const checkpoint = await readFile(join(path, 'mednist_gan/models/model.pt'));
    const rows = rowsOf(join(path, 'model_pt_tensors.tsv'));
    expect(checkpoint.format).toBe('pytorch-zip');
    expect(checkpoint.tensors).toHaveLength(33);
    const { key, tensors, leftOut } = stateDictOf(checkpoint);
    expect([key, leftOut]).toEqual(['', []]);
    expect(await Promise.all([...tensors].map(([name, tensor]) => rowOf(tensor, name)))).toEqual(rows.map(withoutMean));
  });

  it('gives the numbers themselves', async () => {
    const checkpoint = await readFile(join(path, 'mednist_gan/models/model.pt'));
    for (const { name, mean } of rowsOf(join(path, 'model_pt_tensors.tsv'))) {
      const { data } = await loadTensor(checkpoint.tensors.find((tensor) => tensor.name === name) as NamedTensor);
      const sum = (data as Float32Array).reduce((total, value) => total + value, 0);
      expect(sum / data.length, name).toBeCloseTo(mean, 7);
    }
  });
});

describeWithData('weights-pytorch-unet3d', 'the checkpoint of a real 3-D U-Net', (path) => {
  it('equals the shipped list, beside the state of its optimiser', async () => {
    const checkpoint = await readFile(join(path, 'whole_images_epoch_5.pth'));
    const rows = rowsOf(join(path, 'whole_images_epoch_5_tensors.tsv'));
    const { key, tensors, leftOut } = stateDictOf(checkpoint);
    expect(key).toBe('weights');
    const found = await Promise.all([...tensors.values()].map((tensor) => rowOf(tensor)));
    expect(found.sort(byName)).toEqual(
      rows
        .filter(({ name }) => name.startsWith('weights.'))
        .map(withoutMean)
        .sort(byName),
    );
    expect(found.length).toBeGreaterThan(100);
    expect(leftOut.every((name) => !name.startsWith('weights.'))).toBe(true);
  });

  it('knows which names share their weights', async () => {
    const { tensors } = stateDictOf(await readFile(join(path, 'whole_images_epoch_5.pth')));
    const view = (name: string) => tensors.get(name)?.view;
    const block = 'encoder.encoding_blocks.0.conv1';
    expect(view(`${block}.conv_layer.weight`)).toBeDefined();
    expect(view(`${block}.conv_layer.weight`)).toBe(view(`${block}.block.0.weight`));
    expect(view(`${block}.conv_layer.weight`)).not.toBe(view(`${block}.conv_layer.bias`));
  });
});
