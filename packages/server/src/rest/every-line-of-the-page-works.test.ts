/** The curl lines of docs/reference/rest-api.md, run in their order by a shell, against the whole server. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePhantom, shippedModels } from '@isocenter/engine';
import { openSources, writeZip } from '@isocenter/formats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPrograms, repositoryRoot } from '../../../../tools/test/needs.js';
import { signNetwork } from '../registry/onnx/onnx-files.suite.js';
import { type RestServer, restServer } from './rest-server.suite.js';

const page = readFileSync(join(repositoryRoot, 'docs/reference/rest-api.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);

let server: RestServer;
let folder: string;

beforeAll(async () => {
  server = await restServer();
  folder = join(server.folder, 'desk');
  await mkdir(folder);
  const { files } = await makePhantom({ kind: 'thorax', size: [64, 64, 12], spacing: [7.2, 7.2, 24] });
  await writeFile(join(folder, 'study.zip'), await writeZip(files));
  const bundle = await openSources(join(shippedModels, 'ct-basic'));
  const contents = await Promise.all(
    bundle.sources.map(async (source) => ({ name: `ct-basic/${source.name}`, bytes: await source.read() })),
  );
  await bundle.close();
  await writeFile(join(folder, 'bundle.zip'), await writeZip(contents));
  await writeFile(join(folder, 'model.onnx'), signNetwork(['i', 'j', 'k']));
});
afterAll(() => server.close());

function shell(script: string): Promise<{ code: number | null; out: string; error: string }> {
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { ...process.env, ISOCENTER_URL: server.url, ISOCENTER_KEY: server.keys.administrator },
  });
  let [out, error] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    out += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    error += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, error })));
}

describeWithPrograms(['bash', 'curl'], 'the page of the REST API', () => {
  test('has blocks of lines, and each line succeeds', async () => {
    expect(blocks.length).toBeGreaterThan(6);
    // A line that fails ends the shell, and what it printed last says which.
    const { code, out, error } = await shell(`set -euo pipefail -x\n${blocks.join('\n')}`);
    const tail = `${out.slice(-800)}\n${error.slice(-800)}`;
    expect(code, tail).toBe(0);
    expect(out).toContain('event: end');
    const files = await readdir(folder);
    expect(files).toContain('segmentation.rtstruct.dcm');
    expect(files.some((name) => name.endsWith('.seg.nrrd'))).toBe(true);
    const contours = await readFile(join(folder, 'segmentation.rtstruct.dcm'));
    expect(contours.toString('latin1', 128, 132)).toBe('DICM');
    const exported = await openSources(join(folder, 'box.zip'));
    expect(exported.sources.length).toBeGreaterThan(1);
    await exported.close();
    expect(out).toContain('"passed":true');
    expect(out).toContain('"intact":true');
  });

  test('says what a wrong line is told', async () => {
    const { code, out } = await shell(`set -e\n${blocks[0]}\niso $api/jobs/nothing`);
    expect(code).not.toBe(0);
    expect(out).toContain('"kind":"not-found"');
  });
});
