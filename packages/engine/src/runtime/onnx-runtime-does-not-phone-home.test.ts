/**
 * Promise: loading ONNX Runtime leaves no traces. Where its telemetry is on, its Linux build leaves `.ses`, a log and a
 * device identifier at once; that is what is looked for, and it is not provoked here, because it would report to its maker.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWithData, repositoryRoot } from '../../../../tools/test/needs.js';
import { temporaryFolder } from './test-bundles.suite.js';

const entry = (name: string) => resolve(repositoryRoot, 'packages/engine/dist/runtime', name);

/** Files that a script leaves in the temporary folder and below the home of its user. */
function tracesOf(script: string): string[] {
  const folder = temporaryFolder();
  try {
    const [home, tmp] = ['home', 'tmp'].map((name) => join(folder.path, name));
    for (const made of [home, tmp]) mkdirSync(made);
    const environment = { PATH: process.env.PATH, HOME: home, TMPDIR: tmp };
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: environment,
      cwd: repositoryRoot,
    });
    expect(status, stderr.toString()).toBe(0);
    return readdirSync(folder.path, { recursive: true }).map(String).sort();
  } finally {
    folder.remove();
  }
}

describe('asking for its version', () => {
  it('leaves nothing', () => {
    const script = `const { onnxRuntimeVersion } = await import(${JSON.stringify(entry('onnx-version.js'))});
      await onnxRuntimeVersion();`;
    expect(tracesOf(script)).toEqual(['home', 'tmp']);
  });
});

describeWithData('models-meshnet', 'loading a network', (data) => {
  const model = JSON.stringify(join(data, 'onnx/model5_gw_ae.onnx'));

  it('leaves nothing', () => {
    const script = `const { loadOnnx } = await import(${JSON.stringify(entry('onnx-runtime.js'))});
      await (await loadOnnx(${model})).close();`;
    expect(tracesOf(script)).toEqual(['home', 'tmp']);
  });
});
