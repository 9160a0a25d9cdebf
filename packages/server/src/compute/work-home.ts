/**
 * The pool's folder on this machine, with one folder for each running task. What killed pools have left is swept at start;
 * a child whose parent was killed removes the folder by itself (child/watch-parent.ts).
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ComputeError,
  cancelled,
  makeOwnedFolder,
  refreshOwnedFolder,
  sweepExchangeFolders,
  sweepOwnedFolders,
} from '@isocenter/engine/processes';

const PREFIX = 'compute-';
const PRIVATE = 0o700;

export class WorkHome {
  readonly #swept: Promise<unknown>;
  #path: Promise<string> | undefined;
  #endRefresh = () => {};
  #removed = false;

  constructor(private readonly workFolder: string) {
    this.#swept = Promise.all([sweepOwnedFolders(workFolder, PREFIX), sweepExchangeFolders()]);
  }

  /** Made at the first call. Throws ComputeError `temporary-folder`. */
  path(): Promise<string> {
    if (this.#removed) return Promise.reject(cancelled());
    this.#path ??= this.#make().catch((cause) => {
      this.#path = undefined;
      throw noRoom(cause);
    });
    return this.#path;
  }

  /** An empty folder for one task; the caller removes it. Throws ComputeError `temporary-folder`. */
  async taskFolder(): Promise<string> {
    const home = await this.path();
    try {
      // A cleaner of old temporary files may have taken the folder of an idle pool.
      await mkdir(home, { recursive: true, mode: PRIVATE });
      return await mkdtemp(join(home, 'task-'));
    } catch (cause) {
      throw noRoom(cause as NodeJS.ErrnoException);
    }
  }

  async remove(): Promise<void> {
    this.#removed = true;
    this.#endRefresh();
    await this.#swept;
    const path = await this.#path?.catch(() => undefined);
    if (path) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }

  async #make(): Promise<string> {
    await this.#swept;
    await mkdir(this.workFolder, { recursive: true, mode: PRIVATE });
    const path = await makeOwnedFolder(this.workFolder, PREFIX);
    this.#endRefresh = refreshOwnedFolder(path);
    return path;
  }
}

function noRoom(cause: NodeJS.ErrnoException): ComputeError {
  return new ComputeError('temporary-folder', `The work folder cannot take a task (${cause.code})`, {
    next: 'Free space there, or configure another work folder.',
    cause,
  });
}
