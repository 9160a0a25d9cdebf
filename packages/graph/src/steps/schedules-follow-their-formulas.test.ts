/** Learning rates at the ends and in the middle, by hand; against PyTorch where Python has it. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { rateAt, type Schedule } from './schedules.js';

const at = (epoch: number, schedule: Schedule, more: { minimum?: number; warmUp?: number } = {}) =>
  rateAt(epoch, { schedule, rate: 1e-3, total: 100, ...more });

describe('schedules', () => {
  it('polynomial goes from the rate to the minimum', () => {
    const schedule: Schedule = { kind: 'polynomial', gamma: 0.9 };
    expect(at(0, schedule, { minimum: 1e-5 })).toBeCloseTo(1e-3, 12);
    expect(at(50, schedule, { minimum: 1e-5 })).toBeCloseTo(0.99e-3 * 0.5 ** 0.9 + 1e-5, 12);
    expect(at(100, schedule, { minimum: 1e-5 })).toBeCloseTo(1e-5, 12);
  });
  it('steps multiply', () => {
    expect(at(59, { kind: 'step', size: 30, gamma: 0.1 })).toBeCloseTo(1e-4, 12);
    expect(at(60, { kind: 'multiStep', milestones: [60, 80], gamma: 0.5 })).toBeCloseTo(5e-4, 12);
    expect(at(3, { kind: 'exponential', gamma: 0.9 })).toBeCloseTo(1e-3 * 0.729, 12);
    expect(at(99, { kind: 'exponential', gamma: 0.5 }, { minimum: 1e-6 })).toBe(1e-6);
  });
  it('warm-up rises in a line, and the schedule starts behind it', () => {
    expect(at(0, { kind: 'constant' }, { warmUp: 4 })).toBeCloseTo(2e-4, 12);
    expect(at(3, { kind: 'constant' }, { warmUp: 4 })).toBeCloseTo(8e-4, 12);
    expect(at(4, { kind: 'cosine' }, { warmUp: 4 })).toBeCloseTo(1e-3, 12);
    expect(at(52, { kind: 'cosine' }, { warmUp: 4, minimum: 1e-4 })).toBeCloseTo(5.5e-4, 12);
  });
});

const SCRIPT = `
import json, torch
def rates(make):
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1e-3); s = make(o); r = []
    for _ in range(100): r.append(o.param_groups[0]['lr']); o.step(); s.step() if len(r) < 100 else None
    return r
S = torch.optim.lr_scheduler
print(json.dumps([rates(lambda o: S.OneCycleLR(o, 1e-3, total_steps=100)), rates(lambda o: S.CosineAnnealingLR(o, 100, 1e-5)),
  rates(lambda o: S.MultiStepLR(o, [10, 70], 0.3)), rates(lambda o: S.ExponentialLR(o, 0.97))]))
`;

describeWithPython(['torch'], 'schedules of PyTorch', (python) => {
  it('have the same rates in every epoch', () => {
    const { stdout } = spawnSync(python, ['-W', 'ignore', '-c', SCRIPT], { encoding: 'utf8' });
    const schedules: readonly [Schedule, number][] = [
      [{ kind: 'oneCycle' }, 0],
      [{ kind: 'cosine' }, 1e-5],
      [{ kind: 'multiStep', milestones: [10, 70], gamma: 0.3 }, 0],
      [{ kind: 'exponential', gamma: 0.97 }, 0],
    ];
    const expected = JSON.parse(stdout) as number[][];
    schedules.forEach(([schedule, minimum], i) => {
      expected[i].forEach((rate, epoch) => {
        expect(at(epoch, schedule, { minimum }), `${schedule.kind} ${epoch}`).toBeCloseTo(rate, 9);
      });
    });
  });
});
