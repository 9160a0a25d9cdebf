/** The MONAI Label server with its radiology application, as its page says to start it, on an empty folder of studies. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { freePort, isOk, startProgram, until } from './served.js';

export async function startMonaiLabel(
  program: string,
  folder: string,
): Promise<{ readonly roots: readonly number[]; stop(): Promise<void> }> {
  // It is a shell script that takes the first `python` of the PATH.
  const env = { ...process.env, PATH: [dirname(program), process.env.PATH].join(delimiter) };
  const got = spawnSync(program, ['apps', '--download', '--name', 'radiology', '--output', folder], {
    encoding: 'utf8',
    env,
  });
  if (got.status !== 0) throw new Error(`monailabel apps: ${(got.stderr || String(got.error)).slice(-300)}`);
  const studies = join(folder, 'studies');
  mkdirSync(studies);
  const port = await freePort();
  const wish = ['--conf', 'models', 'segmentation', '--conf', 'use_pretrained_model', 'false', '--port', String(port)];
  const app = ['--app', join(folder, 'radiology'), '--studies', studies, '--host', '127.0.0.1'];
  const server = startProgram([program, 'start_server', ...app, ...wish], { env });
  await until(server, () => isOk(`http://127.0.0.1:${port}/info/`));
  return { roots: [server.pid], stop: () => server.stop() };
}
