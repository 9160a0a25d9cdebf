/** The MONAI Label server with its radiology application, as its page says to start it, on an empty folder of studies. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, isOk, startProgram, until } from './served.js';

export async function startMonaiLabel(
  program: string,
  folder: string,
): Promise<{ readonly roots: readonly number[]; stop(): Promise<void> }> {
  const got = spawnSync(program, ['apps', '--download', '--name', 'radiology', '--output', folder], {
    encoding: 'utf8',
  });
  if (got.status !== 0) throw new Error(`monailabel apps: ${(got.stderr || String(got.error)).slice(-300)}`);
  const studies = join(folder, 'studies');
  mkdirSync(studies);
  const port = await freePort();
  const server = startProgram([
    program,
    ...['start_server', '--app', join(folder, 'radiology'), '--studies', studies],
    ...[
      '--conf',
      'models',
      'segmentation',
      '--conf',
      'preload',
      'false',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
    ],
  ]);
  await until(server, () => isOk(`http://127.0.0.1:${port}/info/`));
  return { roots: [server.pid], stop: () => server.stop() };
}
