/** PyTorch as oracle: values and gradients of expressions, in double precision, from one run of Python. */
import { spawnSync } from 'node:child_process';
import type { Arr } from './array.suite.js';

export interface TorchQuestion {
  readonly name: string;
  /** Over the names of the inputs, `torch` and `F` (torch.nn.functional). */
  readonly expression: string;
  readonly inputs: Readonly<Record<string, Arr>>;
}

export interface TorchAnswer {
  readonly value: Arr;
  readonly gradients: Readonly<Record<string, Arr>>;
}

/** The loss is the sum of outputs times sin(1 + 1.7 i), rounded to float32, as in check.suite.ts. */
const SCRIPT = `
import sys, json, torch
import torch.nn.functional as F
torch.set_num_threads(1)
answers = []
for q in json.load(sys.stdin):
    scope = {k: torch.tensor(v['data'], dtype=torch.float64).reshape(v['shape']).requires_grad_() for k, v in q['inputs'].items()}
    y = eval(q['expression'], {'torch': torch, 'F': F, **scope})
    w = torch.tensor([float(torch.sin(torch.tensor(1 + 1.7 * i, dtype=torch.float64)).float()) for i in range(y.numel())], dtype=torch.float64).reshape(y.shape)
    (y * w).sum().backward()
    pack = lambda t: {'shape': list(t.shape), 'data': t.detach().flatten().tolist()}
    answers.append({'value': pack(y), 'gradients': {k: pack(v.grad) for k, v in scope.items() if v.grad is not None}})
json.dump(answers, sys.stdout)
`;

export function askTorch(python: string, questions: readonly TorchQuestion[]): readonly TorchAnswer[] {
  const plain = (value: Arr) => ({ shape: value.shape, data: Array.from(value.data) });
  const input = questions.map((question) => ({
    ...question,
    inputs: Object.fromEntries(Object.entries(question.inputs).map(([name, value]) => [name, plain(value)])),
  }));
  const ran = spawnSync(python, ['-c', SCRIPT], { input: JSON.stringify(input), encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (ran.status !== 0) throw new Error(`PyTorch failed: ${ran.stderr}`);
  const real = ({ shape, data }: { shape: number[]; data: number[] }): Arr => ({
    shape,
    data: Float64Array.from(data),
  });
  return (JSON.parse(ran.stdout) as { value: never; gradients: Record<string, never> }[]).map((answer) => ({
    value: real(answer.value),
    gradients: Object.fromEntries(Object.entries(answer.gradients).map(([name, value]) => [name, real(value)])),
  }));
}
