/**
 * MONAI as oracle: one run of Python makes all networks, fills them by the rule of golden.suite.ts, and answers keys, shapes, outputs
 * and fingerprints of gradients. Both compute in float32 (PyTorch's convolutions in double precision are ten times slower).
 */
import { spawnSync } from 'node:child_process';

export interface MonaiQuestion {
  /** Expression over `nets` (monai.networks.nets), `torch` and the classes of `prelude`, that makes the module. */
  readonly make: string;
  readonly inputs: readonly (readonly number[])[];
  /** In which mode gradients are asked for. */
  readonly mode: 'train' | 'infer' | 'keys';
}

export interface Fingerprint {
  readonly norm: number;
  readonly dots: readonly number[];
}

export interface MonaiAnswer {
  readonly keys: readonly (readonly [name: string, shape: readonly number[], dtype: string])[];
  /** Mean and standard deviation of each freshly made tensor. */
  readonly fresh: Readonly<Record<string, readonly [mean: number, deviation: number, largest: number]>>;
  readonly parameters: number;
  /** In use. */
  readonly output: { readonly shape: readonly number[]; readonly data: readonly number[] };
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Fingerprint>>;
  /** Running statistics after one forward pass in training. */
  readonly buffers: Readonly<Record<string, Fingerprint>>;
}

const SCRIPT = `
import sys, json, math, time, warnings
warnings.filterwarnings('ignore')
import torch
import monai.networks.nets as nets
torch.set_num_threads(1)
question = json.load(sys.stdin)
exec(question['prelude'])

def sines(n, a, b):
    return torch.sin(a + b * torch.arange(n, dtype=torch.float64))

def fill(module):
    seen, t = {}, 0
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point() or 'norm_cross_attn' in name: continue
        if tensor.data_ptr() in seen and tensor.numel() > 0: continue
        seen[tensor.data_ptr()] = name
        n, shape = tensor.numel(), list(tensor.shape)
        if name.endswith('adn.A.weight'): value = torch.full((n,), .25, dtype=torch.float64)
        else:
            s = torch.sin(1 + .37 * torch.arange(n, dtype=torch.float64) + .11 * t)
            if len(shape) >= 2: value = 1.5 / math.sqrt(math.prod(shape[1:])) * s
            elif name.endswith('running_var') or name.endswith('weight'): value = 1 + .1 * s
            else: value = .1 * s
        t += 1
        tensor.copy_(value.float().reshape(shape))

def fingerprint(g):
    g = g.detach().double().flatten()
    return {'norm': float(g.norm()), 'dots': [float(g @ sines(g.numel(), a, b)) for a, b in ((1, .7), (2, 1.3), (3, 2.1))]}

def spread(t):
    t = t.detach().double()
    return [float(t.mean()), float(t.std(unbiased=False)), float(t.abs().max())]

answers = []
for q in question['cases']:
    torch.manual_seed(1)
    started = time.time()
    module = eval(q['make'])
    state = module.state_dict()
    answer = {'keys': [[k, list(v.shape), str(v.dtype)[6:]] for k, v in state.items()],
              'fresh': {k: spread(v) for k, v in state.items() if v.is_floating_point() and v.numel() > 0},
              'parameters': sum(p.numel() for p in module.parameters())}
    answers.append(answer)
    if q['mode'] == 'keys': continue
    with torch.no_grad(): fill(module)
    xs = [torch.sin(.01 * torch.arange(math.prod(s), dtype=torch.float64)).float().reshape(s) for s in q['inputs']]
    module.eval()
    with torch.no_grad(): y = module(*xs)
    answer['output'] = {'shape': list(y.shape), 'data': y.flatten().tolist()}
    module.train(q['mode'] == 'train')
    y = module(*xs)
    loss = (y.flatten() * sines(y.numel(), 1, 1.7).float()).sum()
    loss.backward()
    answer['loss'] = float(loss)
    answer['gradients'] = {k: fingerprint(p.grad) for k, p in module.named_parameters() if p.grad is not None}
    answer['buffers'] = {k: fingerprint(b) for k, b in module.named_buffers() if b.is_floating_point()} if q['mode'] == 'train' else {}
    print(q['make'][:60], round(time.time() - started, 1), file=sys.stderr, flush=True)
json.dump(answers, sys.stdout)
`;

export function askMonai(python: string, cases: readonly MonaiQuestion[], prelude = ''): readonly MonaiAnswer[] {
  const input = JSON.stringify({ prelude, cases });
  const ran = spawnSync(python, ['-c', SCRIPT], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 29,
    stdio: ['pipe', 'pipe', process.env.ISOCENTER_TEST_TIMES ? 'inherit' : 'pipe'],
  });
  if (ran.status !== 0) throw new Error(`MONAI failed: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as MonaiAnswer[];
}

/** As the script's. */
export function fingerprint(data: ArrayLike<number>): Fingerprint {
  const dots = [0, 0, 0];
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    squares += x * x;
    dots[0] += x * Math.sin(1 + 0.7 * i);
    dots[1] += x * Math.sin(2 + 1.3 * i);
    dots[2] += x * Math.sin(3 + 2.1 * i);
  }
  return { norm: Math.sqrt(squares), dots };
}
