/**
 * Every child process that reads strangers' files starts with an environment in which no secret of the server stands: neither the
 * address of the database nor a key of a cloud. Looked up in /proc while the children run.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComputeChild } from '../compute/compute-child.js';
import { checkOnnx } from '../registry/onnx/check-onnx.js';
import { Chores } from './chores.js';

const MARK = 'planted-secret-of-the-environment';
const PLANTED = [
  'DATABASE_URL',
  'AZURE_STORAGE_CONNECTION_STRING',
  'AWS_SECRET_ACCESS_KEY',
  'ISOCENTER_KEY',
  'ANYTHING',
];
const before = new Map(PLANTED.map((name) => [name, process.env[name]]));
const folder = mkdtempSync(join(tmpdir(), 'isocenter-secrets-'));

beforeAll(() => {
  for (const name of PLANTED) process.env[name] = MARK;
});
afterAll(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Of our own child that runs this script; waits until it is there. */
async function environmentOf(script: string): Promise<string> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(5)) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const read = (name: string): string => {
        try {
          return readFileSync(`/proc/${pid}/${name}`, 'utf8');
        } catch {
          return '';
        }
      };
      const stat = read('stat');
      const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
      if (Number(parent) !== process.pid || !read('cmdline').includes(script)) continue;
      const environment = read('environ');
      // Empty between fork and exec.
      if (environment !== '') return environment;
    }
  }
  throw new Error(`no child ran ${script}`);
}

describe.skipIf(process.platform !== 'linux')('the environment of', () => {
  it('a chore', async () => {
    const chores = new Chores();
    const done = chores.run({ kind: 'phantom', outputPath: join(folder, 'phantom.zip') });
    expect(await environmentOf('chore-child')).not.toContain(MARK);
    await done;
  });

  it('a compute child', async () => {
    const child = new ComputeChild({ home: join(folder, 'home'), threads: 1 }, { ended() {}, rested() {} }, new Date());
    expect(await environmentOf('child/entry')).not.toContain(MARK);
    await child.kill(new Error('enough'));
  });

  it('the child that tries out an uploaded network', async () => {
    const path = join(folder, 'network.onnx');
    writeFileSync(path, 'no network');
    const refused = checkOnnx(path, [1], { memoryBytes: 2 ** 30, timeMs: 60_000 }).catch((error: unknown) => error);
    expect(await environmentOf('check-onnx-entry')).not.toContain(MARK);
    expect(await refused).toMatchObject({ kind: 'unsupported-model' });
  });
});
