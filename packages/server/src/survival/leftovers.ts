/** What a stopped installation may not leave: processes, locks, sockets, temporary files, anything that could hold an image. */
import { access, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Installation } from './installation.js';
import { belonging, processes } from './process-table.js';
import { filesBelow } from './stored-objects.js';
import { until } from './until.js';
import type { Violation } from './verdict.js';

/** Children notice within a quarter of a second that their parent is gone; a loaded machine needs longer. */
const LAST_MOMENTS_MS = 30_000;

export async function leftovers(installation: Installation): Promise<readonly Violation[]> {
  const { folder, home, temporary, clusters } = installation;
  const violations: Violation[] = [];
  const rest = async () => belonging(await processes(), folder, clusters);
  await until(LAST_MOMENTS_MS, 'all processes have ended', async () => (await rest()).length === 0 || undefined).catch(
    async () => {
      for (const { pid, title } of await rest())
        violations.push({ promise: 'no process is left behind', found: `${pid} ${title.slice(0, 120)}` });
    },
  );
  for (const [place, files] of await suspects(home, temporary))
    for (const file of files) violations.push({ promise: `nothing is left ${place}`, found: relative(folder, file) });
  return violations;
}

async function suspects(home: string, temporary: string): Promise<readonly (readonly [string, readonly string[]])[]> {
  const atTop = (await readdir(home)).map((name) => join(home, name));
  const database = join(home, 'postgres');
  const running = [
    join(home, 'connection.json'),
    join(home, 'run', 'server.json'),
    join(database, 'data', 'postmaster.pid'),
  ];
  return [
    ['in the work folder', await filesBelow(join(home, 'work'))],
    ['in the folders of killed workers', (await filesAndFolders(join(home, 'work'))).filter(isOfAWorker)],
    ['of uploads', await filesBelow(join(home, 'temporary'))],
    ['of copies', await filesBelow(join(home, 'copies'))],
    ['half-written in the blob store', await filesBelow(join(home, 'blobs', 'incoming'))],
    ['half-made of models', (await filesAndFolders(join(home, 'models'))).filter((path) => path.endsWith('.part'))],
    ['in the temporary folder', await filesAndFolders(temporary)],
    ['that says a server runs', [...atTop.filter((path) => path.endsWith('.lock')), ...(await existing(running))]],
    ['of sockets', await filesBelow(join(database, 'run'))],
  ];
}

/** `work/` holds one folder for the computing, and one for each living worker. */
function isOfAWorker(path: string): boolean {
  return /\/work\/(\d+-[0-9a-f-]{36}|compute\/.+)$/.test(path);
}

async function filesAndFolders(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.map((name) => join(folder, name));
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => path,
        () => undefined,
      ),
    ),
  );
  return found.filter((path) => path !== undefined);
}
