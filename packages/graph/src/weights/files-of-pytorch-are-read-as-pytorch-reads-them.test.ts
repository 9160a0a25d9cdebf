/** PyTorch as the oracle, both ways: what it saves we read, byte for byte; what we write it loads with weights_only=True. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { scalar, tensorOf } from '../tensor/tensor.js';
import { loadTensor } from './load-tensor.js';
import { readFile } from './read-file.suite.js';
import { writeSafetensors } from './safetensors/write-safetensors.js';
import { stateDictOf } from './state-dict.js';
import { writable } from './writable-tensor.js';
import { writeStateDict } from './write-state-dict.js';

/** Saves many files below argv[1] and prints what a reader should find in them. */
const SAVE = `
import collections, hashlib, json, sys, warnings
warnings.filterwarnings('ignore')
import numpy, torch
folder = sys.argv[1]
torch.manual_seed(7)
types = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
state = collections.OrderedDict((str(t)[6:], (torch.randn(3, 4, 2) * 9).to(t)) for t in types)
state['bool'] = torch.randn(5) > 0
state['scalar'] = torch.tensor(3.5)
state['empty'] = torch.zeros(0, 3)
base = torch.randn(6, 10)
views = {'whole': base, 'turned': base.t(), 'part': base[2:5, 3:], 'steps': base[::2, 1::3], 'again': base, 'row': base[4],
  'moved': torch.randn(2, 3, 4, 5).permute(3, 1, 0, 2), 'expanded': torch.randn(3, 1).expand(3, 7), 'one': base[1:2, ::4],
  'last': torch.randn(2, 5, 4, 4).to(memory_format=torch.channels_last)}
unsigned = {'u2': torch.arange(9).to(torch.uint16), 'u4': torch.arange(9).to(torch.uint32), 'u8': torch.arange(8).to(torch.uint64)}

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.PReLU())
        self.second = torch.nn.ModuleDict({'a': torch.nn.Linear(4, 2), 'b': torch.nn.Linear(4, 2, bias=False)})
        self.register_buffer('steps', torch.arange(4))
        self.again = self.second['a']
    def forward(self, x):
        x = self.first(x).mean((2, 3))
        return self.second['a'](x) + self.second['b'](x) + self.again(x) + torch.tensor([[1.5, 2.5]])

net = Net()
adam = torch.optim.Adam(net.parameters())
net(torch.randn(2, 1, 8, 8)).sum().backward()
adam.step()
net.eval()
checkpoint = {'epoch': 3, 'state_dict': net.state_dict(), 'optimizer': adam.state_dict(), 'best': numpy.float64(0.25), 'rounds': numpy.int64(-5),
  'history': numpy.arange(5.0), 'shape': torch.Size([2, 3]), 'device': torch.device('cpu'), 'lr': [1e-3, 5e-4], 'done': False, 'big': 2 ** 70, 'note': 'ünï',
  'none': None, 'parameter': torch.nn.Parameter(torch.randn(2)), 'bytes': b'abc', 'set': {1, 2}, 'type': torch.float16}

def save(name, value, **options):
    torch.save(value, folder + '/' + name, **options)

save('types.pt', state)
save('views.pt', views)
save('unsigned.pt', unsigned)
save('checkpoint.pt', checkpoint)
for protocol in (3, 4, 5):
    save('protocol%d.pt' % protocol, checkpoint, pickle_protocol=protocol)
save('types.legacy.pth', state, _use_new_zipfile_serialization=False)
save('views.legacy.pth', views, _use_new_zipfile_serialization=False)
save('checkpoint.legacy.pth', checkpoint, _use_new_zipfile_serialization=False)
save('protocol0.legacy.pth', net.state_dict(), _use_new_zipfile_serialization=False, pickle_protocol=0)
save('protocol1.legacy.pth', net.state_dict(), _use_new_zipfile_serialization=False, pickle_protocol=1)
save('parallel.pt', torch.nn.DataParallel(net).state_dict())
save('module.pt', net)
torch.jit.script(torch.nn.Sequential(net.first, torch.nn.Flatten())).save(folder + '/scripted.ts')
torch.jit.trace(net, torch.randn(1, 1, 8, 8)).save(folder + '/traced.ts')

def facts(t):
    t = t.detach().contiguous()
    raw = t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b''
    return [str(t.dtype)[6:], list(t.shape), hashlib.sha256(raw).hexdigest()]

def all_of(d):
    return {k: facts(v) for k, v in d.items()}

print(json.dumps({'types': all_of(state), 'views': all_of(views), 'unsigned': all_of(unsigned), 'net': all_of(net.state_dict()),
  'scripted': all_of(torch.jit.load(folder + '/scripted.ts').state_dict()), 'traced': all_of(torch.jit.load(folder + '/traced.ts').state_dict())}))
`;

type Facts = Record<string, [string, number[], string]>;

const folder = mkdtempSync(join(tmpdir(), 'isocenter-weights-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(python: string, script: string, ...args: string[]): string {
  const done = spawnSync(python, ['-c', script, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout;
}

let saved: Record<string, Facts> | undefined;

/** Once for all cases: importing PyTorch takes seconds. */
function savedBy(python: string): Record<string, Facts> {
  saved ??= JSON.parse(run(python, SAVE, folder)) as Record<string, Facts>;
  return saved;
}

async function factsOf(file: string, key?: string): Promise<Facts> {
  const facts: Facts = {};
  for (const [name, tensor] of stateDictOf(await readFile(join(folder, file)), key).tensors)
    facts[name] = [
      tensor.dtype,
      [...tensor.shape],
      createHash('sha256')
        .update(await tensor.read())
        .digest('hex'),
    ];
  return facts;
}

describeWithPython(['torch', 'numpy'], 'files saved by PyTorch', (python) => {
  const expected = (name: string): Facts => savedBy(python)[name];

  it.each([
    ['types.pt', 'types'],
    ['types.legacy.pth', 'types'],
    ['views.pt', 'views'],
    ['views.legacy.pth', 'views'],
    ['unsigned.pt', 'unsigned'],
    ['checkpoint.pt', 'net'],
    ['checkpoint.legacy.pth', 'net'],
    ['protocol1.legacy.pth', 'net'],
    ['protocol3.pt', 'net'],
    ['protocol4.pt', 'net'],
    ['protocol5.pt', 'net'],
    ['parallel.pt', 'net'],
    ['scripted.ts', 'scripted'],
    ['traced.ts', 'traced'],
  ])('%s: every tensor, byte for byte', async (file, name) => {
    const wanted = expected(name);
    expect(Object.keys(wanted).length).toBeGreaterThan(2);
    expect(await factsOf(file)).toEqual(wanted);
  });

  it('keep their numbers and words beside the tensors', async () => {
    expected('net');
    for (const file of ['checkpoint.pt', 'checkpoint.legacy.pth', 'protocol5.pt']) {
      const { values, tensors } = await readFile(join(folder, file));
      expect(Object.fromEntries([...values].filter(([name]) => !name.startsWith('optimizer')))).toEqual({
        epoch: 3,
        best: 0.25,
        rounds: -5,
        'shape.0': 2,
        'shape.1': 3,
        'lr.0': 1e-3,
        'lr.1': 5e-4,
        done: false,
        big: 2n ** 70n,
        note: 'ünï',
        none: null,
      });
      expect(tensors.map(({ name }) => name)).toContain('optimizer.state.0.exp_avg');
      expect(tensors.map(({ name }) => name)).toContain('parameter');
    }
  });

  it('give their constants apart, and never their code', async () => {
    expected('traced');
    const traced = await readFile(join(folder, 'traced.ts'));
    expect(traced.format).toBe('torchscript');
    expect(traced.constants.length).toBeGreaterThan(0);
    const numbers = await Promise.all(
      traced.constants.map(async (constant) => [...((await loadTensor(constant)).data as Float32Array)]),
    );
    expect(numbers).toContainEqual([1.5, 2.5]);
  });

  it('of protocol 0, which PyTorch itself cannot load, are refused by the instruction', async () => {
    expected('net');
    await expect(readFile(join(folder, 'protocol0.legacy.pth'))).rejects.toMatchObject({ opcode: 'PERSID' });
  });

  it('of a whole pickled module are refused by the name of its class', async () => {
    expected('net');
    const refusal = { kind: 'refused-global', refused: '__main__.Net', opcode: 'GLOBAL' };
    await expect(readFile(join(folder, 'module.pt'))).rejects.toMatchObject(refusal);
    await expect(readFile(join(folder, 'module.pt'), { refusals: 'list' })).rejects.toMatchObject({
      refused: '__main__.Net',
    });
  });
});

const weights = [
  writable(
    'conv.weight',
    tensorOf(
      'float32',
      [2, 1, 3, 3],
      Array.from({ length: 18 }, (_, n) => Math.sin(n)),
    ),
  ),
  writable('conv.bias', tensorOf('float64', [2], [0.1, -2])),
  writable('half', tensorOf('float16', [3], [1, -0.5, 65504])),
  writable('steps', tensorOf('int64', [4], [1, -2, 3, 4])),
  writable('count', tensorOf('int32', [2], [7, -7])),
  writable('bytes', tensorOf('uint8', [3], [0, 128, 255])),
  writable('mask', tensorOf('bool', [3], [1, 0, 1])),
  writable('scalar.ü', scalar('float32', 3.25)),
  writable('empty', tensorOf('float32', [0, 4], [])),
];

const LOAD = `
import json, sys, torch
kind, path = sys.argv[1:3]
if kind == 'safetensors':
    from safetensors.torch import load_file
    state = load_file(path)
else:
    state = torch.load(path, weights_only=True, mmap=kind == 'mmap')
print(json.dumps({name: [str(t.dtype)[6:], list(t.shape), t.double().flatten().tolist(), t.data_ptr() % 64 if kind == 'mmap' and t.numel() else 0] for name, t in state.items()}))
`;

const numbers = {
  'conv.weight': ['float32', [2, 1, 3, 3], Array.from({ length: 18 }, (_, n) => Math.fround(Math.sin(n))), 0],
  'conv.bias': ['float64', [2], [0.1, -2], 0],
  half: ['float16', [3], [1, -0.5, 65504], 0],
  steps: ['int64', [4], [1, -2, 3, 4], 0],
  count: ['int32', [2], [7, -7], 0],
  bytes: ['uint8', [3], [0, 128, 255], 0],
  mask: ['bool', [3], [1, 0, 1], 0],
  'scalar.ü': ['float32', [], [3.25], 0],
  empty: ['float32', [0, 4], [], 0],
};

describe('files written here', () => {
  describeWithPython(['torch'], 'are loaded by PyTorch', (python) => {
    it.each(['weights_only', 'mmap'])('with %s, every number and in order', async (kind) => {
      const path = join(folder, `ours-${kind}.pt`);
      writeFileSync(path, await writeStateDict(weights));
      const loaded = JSON.parse(run(python, LOAD, kind, path));
      expect(loaded).toEqual(numbers);
      expect(Object.keys(loaded)).toEqual(Object.keys(numbers));
    });

    it('with the types that have no storage class of their own, and with shared weights', async () => {
      savedBy(python);
      for (const file of ['unsigned.pt', 'types.pt', 'views.pt']) {
        const { tensors } = await readFile(join(folder, file));
        const path = join(folder, `copy-${file}`);
        writeFileSync(path, await writeStateDict(tensors));
        const check = `
import sys, torch
a, b = (torch.load(p, weights_only=True) for p in sys.argv[1:3])
assert list(a) == list(b)
assert all(torch.equal(a[k], b[k]) and a[k].dtype == b[k].dtype for k in a)
if 'again' in b: assert b['again'].data_ptr() == b['whole'].data_ptr()
print('same')`;
        expect(run(python, check, join(folder, file), path).trim()).toBe('same');
      }
    });
  });

  describeWithPython(['torch', 'safetensors'], 'are loaded by safetensors', (python) => {
    it('every number, and its own files by us', async () => {
      const path = join(folder, 'ours.safetensors');
      writeFileSync(path, await writeSafetensors(weights, new Map([['format', 'pt']])));
      expect(JSON.parse(run(python, LOAD, 'safetensors', path))).toEqual(numbers);
      const save =
        'import sys, torch\nfrom safetensors.torch import save_file, load_file\nsave_file(load_file(sys.argv[1]), sys.argv[2])';
      const theirs = join(folder, 'theirs.safetensors');
      run(python, save, path, theirs);
      const checkpoint = await readFile(theirs);
      expect(checkpoint.tensors).toHaveLength(weights.length);
      expect(Buffer.from(await writeSafetensors(checkpoint.tensors)).equals(readFileSync(theirs))).toBe(true);
    });
  });
});
