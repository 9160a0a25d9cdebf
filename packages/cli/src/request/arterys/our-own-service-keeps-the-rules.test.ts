/** The mock server of examples/arterys, as its users start it, held against every rule by the tool that shares no code with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePhantom } from '@isocenter/engine';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../../../../tools/test/needs.js';
import { eventually, run, Workplace } from '../../run-cli.suite.js';

const workplace = new Workplace();
const { files } = await makePhantom({ size: [24, 20, 3], spacing: [20, 20, 80] });
const input = workplace.path('in');
mkdirSync(input);
for (const { name, bytes } of files) writeFileSync(`${input}/${name}`, bytes);
afterAll(() => workplace.remove());

async function mockServer(mode: string): Promise<{ url: string; stop(): Promise<void> }> {
  const script = join(repositoryRoot, 'examples/arterys/mock-server.mjs');
  const child: ChildProcess = spawn(process.execPath, [script, mode, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  const url = await eventually(() => {
    if (child.exitCode !== null) throw new Error(printed);
    return /listening on (http:\S+)/.exec(printed)?.[1];
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  return { url, stop };
}

describe.each([
  ['-s3D', { parts: 1, pictures: 3, boxes: 0 }],
  ['-s2D', { parts: 3, pictures: 3, boxes: 0 }],
  ['-b', { parts: 0, pictures: 3, boxes: 1 }],
  ['-cl', { parts: 0, pictures: 0, boxes: 0 }],
])('the mock server in mode %s', (mode, { parts, pictures, boxes }) => {
  it('is ready, breaks no rule, and proves what it computed from what', async () => {
    const service = await mockServer(mode);
    try {
      expect((await run('request', 'arterys', '--health', '--url', service.url)).status).toBe(0);
      const output = workplace.path(`out${mode}`);
      const ran = await run('request', 'arterys', input, '--url', service.url, '-o', output, '--json');
      const report = JSON.parse(ran.stdout);
      expect(report.faults).toEqual([]);
      expect([ran.status, report.digests.proven, report.parts.length, report.boxes]).toEqual([0, true, parts, boxes]);
      expect(readdirSync(output).filter((name) => name.endsWith('.png'))).toHaveLength(pictures);
      if (mode === '-cl') expect(report.study).toEqual({ label1: 'condition1', label2: 'condition2' });
    } finally {
      await service.stop();
    }
  });
});
