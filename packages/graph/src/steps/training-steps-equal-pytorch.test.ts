/** Training steps in ONNX Runtime: PyTorch's weights after several steps, resumed bit for bit, dropout that repeats, NaN named. */
import { spawnSync } from 'node:child_process';
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { randomArray, randomFrom } from '../evaluate/random.suite.js';
import { Graph } from '../graph/graph.js';
import { relu } from '../layers/activations.js';
import { conv, convTranspose } from '../layers/convolution.js';
import { dropout } from '../layers/dropout.js';
import { batchNorm } from '../layers/normalization.js';
import { diceCrossEntropy } from '../losses/combined.js';
import { oneHot } from '../losses/targets.js';
import { writeModel } from '../onnx/write-model.js';
import type { DType } from '../tensor/dtype.js';
import { type Tensor, tensorOf } from '../tensor/tensor.js';
import type { Optimiser } from './optimiser.js';
import { dropoutKey } from './step-inputs.js';
import { TrainingState } from './training-state.js';
import { type TrainingStep, type TrainingStepOptions, trainingStep } from './training-step.js';

const IMAGE = [2, 1, 6, 6];

/** conv – batch norm – ReLU (– dropout) – strided conv – transposed conv. */
function buildStep(options: TrainingStepOptions, chance = 0): TrainingStep {
  const graph = new Graph({ name: 'tiny', mode: 'train' });
  const x = graph.input('image', 'float32', IMAGE);
  const labels = graph.input('labels', 'int64', [2, 6, 6]);
  const p = (name: string, ...shape: number[]) => graph.parameter(name, shape);
  const normed = batchNorm(conv(x, p('a.weight', 4, 1, 3, 3), { bias: p('a.bias', 4), padding: 1 }), {
    weight: p('n.weight', 4),
    bias: p('n.bias', 4),
    runningMean: graph.parameter('n.running_mean', [4], { trainable: false }),
    runningVariance: graph.parameter('n.running_var', [4], { trainable: false }),
  });
  const dropped = dropout(relu(normed), chance, { key: dropoutKey(graph, 7), layer: 0 });
  const down = conv(dropped, p('d.weight', 6, 4, 3, 3), { padding: 1, stride: 2 });
  const y = convTranspose(down, p('u.weight', 6, 3, 2, 2), { bias: p('u.bias', 3), stride: 2 });
  graph.parameter('unused.weight', [2]);
  return trainingStep(graph, diceCrossEntropy(y, oneHot(labels, 3, 4)), options);
}

function startWeights(step: TrainingStep): Map<string, Tensor> {
  const random = randomFrom(3);
  return new Map(
    step.graph.parameters.map(({ name, shape }) => {
      const numbers = randomArray(shape, random).data.map((v) => 0.3 * v + (name === 'n.weight' ? 1 : 0));
      return [name, tensorOf('float32', shape, name === 'n.running_var' ? numbers.map(() => 1) : numbers)];
    }),
  );
}

const batchOf = (step: number): Map<string, Tensor> => {
  const random = randomFrom(100 + step);
  const labels = Array.from({ length: 72 }, () => Math.floor(random() * 3));
  return new Map([
    ['image', tensorOf('float32', IMAGE, randomArray(IMAGE, random).data)],
    ['labels', tensorOf('int64', [2, 6, 6], labels)],
  ]);
};

async function session(step: TrainingStep) {
  const onnx = await InferenceSession.create(writeModel(step.graph), { intraOpNumThreads: 1 });
  const run = async (feeds: Iterable<[string, Tensor]>): Promise<Map<string, Tensor>> => {
    const given = [...feeds].filter(([name]) => onnx.inputNames.includes(name));
    const answers = await onnx.run(
      Object.fromEntries(
        given.map(([name, t]) => [name, new OnnxTensor(t.dtype as 'float32', t.data as Float32Array, t.shape)]),
      ),
    );
    return new Map(
      Object.entries(answers).map(([name, { type, dims, data }]) => [
        name,
        { dtype: type as DType, shape: dims, data: data as Float32Array } as Tensor,
      ]),
    );
  };
  return { run, release: () => onnx.release() };
}

async function train(step: TrainingStep, state: TrainingState, until: number): Promise<number[]> {
  const { run, release } = await session(step);
  const losses: number[] = [];
  while (state.done < until) losses.push(state.accept(await run([...state.feeds(0.01), ...batchOf(state.done)])));
  await release();
  return losses;
}

const ADAM: TrainingStepOptions = { optimiser: { kind: 'adam' }, clip: { norm: 0.5 }, average: 0.9 };

describe('training steps', () => {
  it('lower the loss and leave alone what the loss does not depend on', async () => {
    const step = buildStep(ADAM);
    const start = startWeights(step);
    const state = new TrainingState(step, start);
    const { run, release } = await session(step);
    const losses: number[] = [];
    for (let i = 0; i < 40; i++) losses.push(state.accept(await run([...state.feeds(0.02), ...batchOf(0)])));
    await release();
    expect(losses[39]).toBeLessThan(0.6 * losses[0]);
    expect(state.tensors.get('unused.weight')).toBe(start.get('unused.weight'));
    expect(state.tensors.get('average/a.weight')?.data).not.toEqual(state.tensors.get('a.weight')?.data);
  });

  it('repeat bit for bit, also when resumed in the middle by another session, with dropout', async () => {
    const step = buildStep(ADAM, 0.3);
    const whole = new TrainingState(step, startWeights(step));
    const losses = await train(step, whole, 8);
    const half = new TrainingState(step, startWeights(step));
    const first = await train(step, half, 3);
    const resumed = new TrainingState(step, new Map(half.tensors), half.done);
    const second = await train(step, resumed, 8);
    expect([...first, ...second]).toEqual(losses);
    for (const [name, { data }] of whole.tensors) expect(resumed.tensors.get(name)?.data, name).toEqual(data);
  });

  it('average the gradients of several steps, and then move once', async () => {
    const sgd = { kind: 'sgd' } as const;
    const single = buildStep({ optimiser: sgd });
    const start = startWeights(single);
    const { run, release } = await session(single);
    const alone = await Promise.all(
      [0, 1].map(async (n) => run([...new TrainingState(single, start).feeds(0.1), ...batchOf(n)])),
    );
    await release();
    const step = buildStep({ optimiser: sgd, accumulate: 2 });
    const state = new TrainingState(step, start);
    const { run: runBoth, release: releaseBoth } = await session(step);
    state.accept(await runBoth([...state.feeds(0.1), ...batchOf(0)]));
    expect(state.tensors.get('d.weight')?.data).toEqual(start.get('d.weight')?.data);
    state.accept(await runBoth([...state.feeds(0.1), ...batchOf(1)]));
    await releaseBoth();
    const [first, second] = alone.map((outputs) => outputs.get('next/d.weight')?.data as Float32Array);
    const found = state.tensors.get('d.weight')?.data as Float32Array;
    found.forEach((v, i) => {
      expect(v).toBeCloseTo((first[i] + second[i]) / 2, 6);
    });
    expect(new Set(state.tensors.get('accumulated/d.weight')?.data as Float32Array)).toEqual(new Set([0]));
  });

  it('draw another dropout mask in each step', async () => {
    const step = buildStep({ optimiser: { kind: 'sgd' } }, 0.5);
    const state = new TrainingState(step, startWeights(step));
    const { run, release } = await session(step);
    const lossAt = async (done: number) =>
      new TrainingState(step, state.tensors, done).accept(
        await run([...new TrainingState(step, state.tensors, done).feeds(0), ...batchOf(0)]),
      );
    expect(await lossAt(4)).toBe(await lossAt(4));
    expect(await lossAt(4)).not.toBe(await lossAt(5));
    await release();
  });

  it('refuse a loss that is no number, name the step and change nothing', async () => {
    const step = buildStep(ADAM);
    const state = new TrainingState(step, startWeights(step));
    const { run, release } = await session(step);
    state.accept(await run([...state.feeds(0.01), ...batchOf(0)]));
    const before = new Map(state.tensors);
    const batch = batchOf(1);
    batch.set('image', tensorOf('float32', IMAGE, new Float32Array(72).fill(Number.NaN)));
    const outputs = await run([...state.feeds(0.01), ...batch]);
    expect(() => state.accept(outputs)).toThrow('The loss is NaN in step 2');
    expect(new Map(state.tensors)).toEqual(before);
    expect(state.done).toBe(1);
    await release();
  });

  it('refuse weights that are missing or of another shape, by name', () => {
    const step = buildStep(ADAM);
    const weights = startWeights(step);
    weights.delete('d.weight');
    expect(() => new TrainingState(step, weights)).toThrow('"d.weight" is missing; the network wants 6×4×3×3');
  });
});

const SCRIPT = `
import sys, json, torch
import torch.nn.functional as F
torch.set_num_threads(1)
q = json.load(sys.stdin)
t = lambda v: torch.tensor(v['data'], dtype=torch.float32).reshape(v['shape'])
answers = []
for o in q['optimisers']:
    w = {k: t(v) for k, v in q['weights'].items()}
    learned = [k for k in w if 'running' not in k and 'unused' not in k]
    for k in learned: w[k].requires_grad_()
    params = [w[k] for k in learned]
    opt = eval(o['torch'], {'torch': torch, 'params': params})
    losses = []
    for b in q['batches']:
        x, l = t(b['image']), torch.tensor(b['labels']['data']).reshape(2, 6, 6).long()
        y = F.relu(F.batch_norm(F.conv2d(x, w['a.weight'], w['a.bias'], padding=1), w['n.running_mean'], w['n.running_var'], w['n.weight'], w['n.bias'], training=True))
        y = F.conv_transpose2d(F.conv2d(y, w['d.weight'], padding=1, stride=2), w['u.weight'], w['u.bias'], stride=2)
        g = F.one_hot(l, 3).permute(0, 3, 1, 2).float()
        p = torch.softmax(y, 1)
        dice = 1 - ((2 * (p * g).sum((2, 3)) + 1e-5) / (p.sum((2, 3)) + g.sum((2, 3)) + 1e-5)).mean()
        loss = dice + F.cross_entropy(y, l)
        opt.zero_grad(); loss.backward()
        if o.get('clip'): torch.nn.utils.clip_grad_norm_(params, o['clip'])
        opt.step()
        losses.append(loss.item())
    answers.append({'losses': losses, 'weights': {k: v.detach().flatten().tolist() for k, v in w.items()}})
json.dump(answers, sys.stdout)
`;

const optimisers: readonly { readonly torch: string; readonly ours: Optimiser; readonly clip?: number }[] = [
  { torch: 'torch.optim.SGD(params, 0.01)', ours: { kind: 'sgd' } },
  {
    torch: 'torch.optim.SGD(params, 0.01, momentum=0.9, weight_decay=0.1)',
    ours: { kind: 'sgd', momentum: 0.9, weightDecay: 0.1 },
  },
  {
    torch: 'torch.optim.SGD(params, 0.01, momentum=0.9, nesterov=True)',
    ours: { kind: 'sgd', momentum: 0.9, nesterov: true },
    clip: 0.1,
  },
  { torch: 'torch.optim.Adam(params, 0.01)', ours: { kind: 'adam' } },
  {
    torch: 'torch.optim.Adam(params, 0.01, eps=1e-4, weight_decay=0.01, amsgrad=True)',
    ours: { kind: 'adam', epsilon: 1e-4, weightDecay: 0.01, amsgrad: true },
  },
  { torch: 'torch.optim.AdamW(params, 0.01, weight_decay=0.1)', ours: { kind: 'adamW', weightDecay: 0.1 } },
  { torch: 'torch.optim.RMSprop(params, 0.01)', ours: { kind: 'rmsprop' } },
  {
    torch: 'torch.optim.RMSprop(params, 0.01, alpha=0.9, eps=1e-4, momentum=0.6, centered=True, weight_decay=0.01)',
    ours: { kind: 'rmsprop', alpha: 0.9, epsilon: 1e-4, momentum: 0.6, centred: true, weightDecay: 0.01 },
  },
];

describeWithPython(['torch'], 'ten training steps against PyTorch', (python) => {
  it('give its losses and its weights, with every optimiser', async () => {
    const steps = 10;
    const plain = (tensors: ReadonlyMap<string, Tensor>) =>
      Object.fromEntries(
        [...tensors].map(([name, { shape, data }]) => [name, { shape, data: Array.from(data, Number) }]),
      );
    const weights = startWeights(buildStep(ADAM));
    const question = {
      optimisers: optimisers.map(({ torch, clip }) => ({ torch, clip })),
      weights: plain(weights),
      batches: Array.from({ length: steps }, (_, i) => plain(batchOf(i))),
    };
    const ran = spawnSync(python, ['-c', SCRIPT], { input: JSON.stringify(question), encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    const answers = JSON.parse(ran.stdout) as { losses: number[]; weights: Record<string, number[]> }[];
    for (const [i, { torch, ours, clip }] of optimisers.entries()) {
      const step = buildStep({ optimiser: ours, ...(clip === undefined ? {} : { clip: { norm: clip } }) });
      const state = new TrainingState(step, weights);
      const losses = await train(step, state, steps);
      losses.forEach((loss, n) => {
        expect(Math.abs(loss - answers[i].losses[n]), `${torch}: loss of step ${n}`).toBeLessThan(1e-4 * loss);
      });
      // A bias before a batch norm has no gradient but rounding, which Adam blows up to full steps: PyTorch's is as random.
      for (const [name, expected] of Object.entries(answers[i].weights).filter(
        ([name]) => name !== 'a.bias' && name !== 'n.running_mean',
      )) {
        const found = Array.from(state.tensors.get(name)?.data ?? [], Number);
        found.forEach((v, n) => {
          expect(Math.abs(v - expected[n]), `${torch}: ${name}[${n}]`).toBeLessThan(
            2e-3 * Math.max(1, Math.abs(expected[n])),
          );
        });
      }
    }
  });
});
