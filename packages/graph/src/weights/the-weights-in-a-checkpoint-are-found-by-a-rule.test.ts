/** Which part of a checkpoint is the network is a stated rule: the same file gives the same part, or an error that asks. */
import { expect, it } from 'vitest';
import * as a from './pickle/pickle-assembler.suite.js';
import { readPyTorchArchive } from './pytorch-archive.js';
import { stateDictOf } from './state-dict.js';

type Tree = { readonly [key: string]: Tree | 'tensor' };

const pickled = (tree: Tree): Buffer =>
  a.dict(
    ...Object.entries(tree).flatMap(([key, value]) => [a.text(key), value === 'tensor' ? a.tensor() : pickled(value)]),
  );
const read = (tree: Tree) => readPyTorchArchive(a.archive(a.pickle(pickled(tree))));

const t = 'tensor';
const layers = { 'a.weight': t, 'a.bias': t } as const;
const names = ['a.weight', 'a.bias'];
const optimizer = { state: { '0': { exp_avg: t } } } as const;

it.each<[string, Tree, string, string[]]>([
  ['a flat dict', layers, '', names],
  ['a state_dict beside an optimiser', { optimizer, state_dict: layers }, 'state_dict', names],
  ['the first of two usual keys', { model: { x: t }, state_dict: layers }, 'state_dict', names],
  ['a usual key before tensors at the top', { best_loss: t, model: layers }, 'model', names],
  ['tensors at the top before an unusual key', { ...layers, ema: { x: t } }, '', names],
  ['the only key that has tensors', { weights_of_epoch_5: layers }, 'weights_of_epoch_5', names],
  ['two levels down', { checkpoint: { optimizer, model: layers } }, 'checkpoint.model', names],
  ['of several processors', { state_dict: { 'module.a.weight': t, 'module.a.bias': t } }, 'state_dict', names],
  ['of a network that has a part called module', { 'module.a': t, b: t }, '', ['module.a', 'b']],
])('%s', async (_what, tree, key, wanted) => {
  const found = stateDictOf(await read(tree));
  expect([found.key, [...found.tensors.keys()]]).toEqual([key, wanted]);
});

it('says what it left out', async () => {
  const { leftOut } = stateDictOf(await read({ optimizer, state_dict: layers }));
  expect(leftOut).toEqual(['optimizer.state.0.exp_avg']);
});

it('a key that is given decides, also deep ones', async () => {
  const checkpoint = await read({ state_dict: { x: t }, ema: { model: layers } });
  expect([...stateDictOf(checkpoint, 'ema').tensors.keys()]).toEqual(['model.a.weight', 'model.a.bias']);
  expect([...stateDictOf(checkpoint, 'ema.model').tensors.keys()]).toEqual(names);
  expect(() => stateDictOf(checkpoint, 'em')).toThrowError(
    expect.objectContaining({ kind: 'not-found', next: expect.stringContaining('ema') }),
  );
});

it('two parts of equal right are an error that names both', async () => {
  const checkpoint = await read({ generator: layers, discriminator: { x: t } });
  expect(() => stateDictOf(checkpoint)).toThrowError(
    expect.objectContaining({ kind: 'ambiguous', next: 'Name one of them: generator, discriminator.' }),
  );
});
