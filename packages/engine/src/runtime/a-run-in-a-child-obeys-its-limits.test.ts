/** Cancel, time limit, memory limit, a killed child: typed errors at once, and nothing is left behind. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Volume } from '@isocenter/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithData, repositoryRoot } from '../../../../tools/test/needs.js';
import type { Bundle } from '../bundle/bundle.js';
import { loadBundle } from '../bundle/load-bundle.js';
import { ComputeError, ForwardedFailure } from './compute-error.js';
import { sweepExchangeFolders } from './exchange-folder.js';
import { checkForecast } from './forecast.js';
import { identityText, ownIdentity } from './process-identity.js';
import { type ChildOptions, runBundleInChild } from './run-in-child.js';
import { assembleBundle, boxOf, niftiVolume, temporaryFolder } from './test-bundles.suite.js';

const own = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`isocenter-run-${process.pid}-`));

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  );
}

describeWithData('models-meshnet', 'a run in a child', (data) => {
  const folder = temporaryFolder();
  let bundle: Bundle;
  let image: Volume;
  beforeAll(async () => {
    bundle = await loadBundle(
      assembleBundle(folder.path, 'meshnet/model30chan18cls', join(data, 'onnx/model30chan18cls.onnx')),
    );
    image = await niftiVolume(join(data, 't1_crop.nii.gz'));
  });
  afterAll(() => folder.remove());
  const input = () => ({ channels: [{ name: 'T1', volume: image, modality: 'MR' }] });

  /** Runs until `during` has something to do with the child that is at work in the network. */
  async function interrupted(options: ChildOptions, during: (pid: number) => void, signal?: AbortSignal) {
    let pid = 0;
    let at = 0;
    let started = false;
    const error = await failureOf(
      runBundleInChild(
        bundle,
        input(),
        { ...options, onStart: (id) => (pid = id) },
        {
          ...(signal ? { signal } : {}),
          progress(done, total, step) {
            // The last transform is done: within moments the network computes.
            if (started || step !== 'transforms' || done < total - 1) return;
            started = true;
            setTimeout(() => {
              at = performance.now();
              during(pid);
            }, 1500);
          },
        },
      ),
    );
    return { error, pid, milliseconds: performance.now() - at };
  }

  it('cancelled in mid-network ends within a second', async () => {
    const controller = new AbortController();
    const { error, pid, milliseconds } = await interrupted({}, () => controller.abort(), controller.signal);
    expect(error).toBeInstanceOf(ComputeError);
    expect((error as ComputeError).kind).toBe('cancelled');
    expect(milliseconds).toBeLessThan(1000);
    expect(isGone(pid)).toBe(true);
    expect(own()).toEqual([]);
  });

  it('killed by somebody else is a typed error', async () => {
    const { error } = await interrupted({}, (pid) => process.kill(pid, 'SIGKILL'));
    expect((error as ComputeError).kind).toBe('child-crashed');
    expect(error.message).toContain('SIGKILL');
    expect(own()).toEqual([]);
  });

  it('beyond its memory limit is killed, with both figures', async () => {
    // The forecast cannot know what the network takes inside: about 1 GB here, so it lets this one start.
    const limit = 600 * 2 ** 20;
    const small = await loadBundle(
      assembleBundle(folder.path, 'meshnet/model5_gw_ae', join(data, 'onnx/model5_gw_ae.onnx')),
    );
    const error = await failureOf(runBundleInChild(small, input(), { memoryLimitBytes: limit }));
    expect((error as ComputeError).kind).toBe(process.platform === 'linux' ? 'memory-limit' : 'never');
    expect(error.message).toMatch(/took \d+ MB, its limit is 600 MB/);
    expect(own()).toEqual([]);
  });

  it('that cannot fit is refused before it starts, with the figures', async () => {
    const error = await failureOf(runBundleInChild(bundle, input(), { memoryLimitBytes: 150 * 2 ** 20 }));
    expect((error as ForwardedFailure).kind).toBe('memory-forecast');
    expect(error.message).toMatch(/at least \d+ MB \(.*the limit is 150 MB/);
    expect(own()).toEqual([]);
  });

  it('beyond its time limit is killed', async () => {
    const started = performance.now();
    const error = await failureOf(runBundleInChild(bundle, input(), { timeLimitMs: 1500 }));
    expect((error as ComputeError).kind).toBe('time-limit');
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(own()).toEqual([]);
  });

  it('that was cancelled before it began does not begin', async () => {
    const error = await failureOf(runBundleInChild(bundle, input(), {}, { signal: AbortSignal.abort() }));
    expect((error as ComputeError).kind).toBe('cancelled');
  });

  it('same input twice is bit-equal, and says its peak, time and threads', async () => {
    const small = await loadBundle(
      assembleBundle(folder.path, 'meshnet/model5_gw_ae', join(data, 'onnx/model5_gw_ae.onnx')),
    );
    const volume = boxOf(image, [80, 90, 90], [60, 50, 40]);
    const runs = [];
    for (let n = 0; n < 2; n++)
      runs.push(await runBundleInChild(small, { channels: [{ name: 'T1', volume }] }, { threads: 2 }));
    const [a, b] = runs.map(({ prediction }) =>
      prediction.kind === 'segmentation' ? prediction.segmentation.layers[0].data : undefined,
    );
    expect(a).toEqual(b);
    expect(new Set(a).size).toBeGreaterThan(1);
    expect(runs[0].peakMemoryBytes).toBeGreaterThan(50 * 2 ** 20);
    expect(runs[0].threads).toBe(2);
    expect(own()).toEqual([]);
  });

  it('whose parent is killed clears up by itself', async () => {
    const small = assembleBundle(folder.path, 'meshnet/model5_gw_ae', join(data, 'onnx/model5_gw_ae.onnx'));
    const dist = join(repositoryRoot, 'packages/engine/dist');
    const script = `
      const { loadBundle } = await import('${dist}/bundle/load-bundle.js');
      const { runBundleInChild } = await import('${dist}/runtime/run-in-child.js');
      const volume = { kind: 'volume', data: new Uint8Array(100 ** 3).fill(7), size: [100, 100, 100], affine: [1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1] };
      await runBundleInChild(await loadBundle('${small}'), { channels: [{ name: 'T1', volume }] }, { onStart: (pid) => console.log(pid) });`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = Number(await new Promise((resolve) => parent.stdout.once('data', (bytes) => resolve(String(bytes)))));
    const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`isocenter-run-${parent.pid}-`));
    expect(left().length).toBe(1);
    parent.kill('SIGKILL');
    // The child notices between two calls of the network.
    await expect.poll(() => isGone(pid) && left().length === 0, { timeout: 60_000, interval: 100 }).toBe(true);
  });

  it('forwards what the run itself refuses', async () => {
    const broken = { ...bundle, inference: { ...bundle.inference, inferer: { _target_: 'FancyInferer' } } };
    const error = await failureOf(runBundleInChild(broken, input()));
    expect(error).toBeInstanceOf(ForwardedFailure);
    expect(error.name).toBe('BundleError');
    expect(error.message).toContain('FancyInferer');
  });
});

describe('what others left behind', () => {
  it('is swept when its owner is dead, and stays when it lives', async () => {
    const root = temporaryFolder();
    // Process ids end at 2^22 on Linux: this one never lives.
    const dead = `isocenter-run-${identityText({ ...ownIdentity(), pid: 4194999 })}-x`;
    const living = `isocenter-run-${identityText(ownIdentity())}-y`;
    for (const name of [dead, living, 'somebody-elses']) mkdirSync(join(root.path, name));
    await sweepExchangeFolders(root.path);
    expect(readdirSync(root.path).sort()).toEqual([living, 'somebody-elses'].sort());
    root.remove();
  });

  it('a forecast compares with the smaller of limit and free memory', () => {
    const items = [{ what: 'image', bytes: 300 * 2 ** 20 }];
    expect(() => checkForecast(items, 200 * 2 ** 20, 2 ** 40)).toThrow(/limit is 200 MB/);
    expect(() => checkForecast(items, undefined, 100 * 2 ** 20)).toThrow(/100 MB free/);
    expect(() => checkForecast(items, 400 * 2 ** 20, 2 ** 40)).not.toThrow();
  });
});
