/**
 * The folder where one worker's jobs write. Results of patients lie there for a moment, so folders of workers that were
 * killed are removed by the next worker on the machine.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../state/database.js';

const NAME = /^(\d{1,10})-([0-9a-f-]{36})$/;
/** A process id that lives again belongs to somebody else; after this nobody is believed to come back. */
const GONE_AFTER_MS = 3_600_000;

export async function openWorkerFolder(db: Database, workFolder: string, id: string): Promise<string> {
  await mkdir(workFolder, { recursive: true });
  await removeDeadFolders(db, workFolder);
  const folder = join(workFolder, `${process.pid}-${id}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export async function removeDeadFolders(db: Database, workFolder: string): Promise<void> {
  const found = (await readdir(workFolder)).flatMap((name) => {
    const [, pid, id] = NAME.exec(name) ?? [];
    return pid && id ? [{ name, pid: Number(pid), id }] : [];
  });
  if (found.length === 0) return;
  const ids = found.map(({ id }) => id);
  const alive = await db.selectFrom('job_worker').select('id').where('id', 'in', ids).execute();
  const known = new Set(alive.map(({ id }) => id));
  for (const { name, pid, id } of found) {
    if (known.has(id)) continue;
    const path = join(workFolder, name);
    const info = await stat(path).catch(() => undefined);
    if (pid === process.pid || !lives(pid) || (info && Date.now() - info.mtimeMs > GONE_AFTER_MS))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
