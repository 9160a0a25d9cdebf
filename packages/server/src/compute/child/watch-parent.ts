/**
 * A thread that ends the child when its parent is gone. The main thread cannot: it learns of a closed channel only between
 * two calls of the network, and one call may take a minute while a restarted server already starts the work anew.
 * Measured: 8 MB.
 */
import { rmSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const LOOK_EVERY_MS = 250;
const SMALL_THREAD = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

interface Watched {
  readonly home: string;
  readonly parent: number;
}

export interface ParentWatch {
  /** Folder of a task in progress: its half-made results go too. */
  mind(folder: string | undefined): void;
}

export function watchParent(home: string): ParentWatch {
  const thread = new Worker(fileURLToPath(import.meta.url), {
    workerData: { home, parent: process.ppid } satisfies Watched,
    resourceLimits: SMALL_THREAD,
    execArgv: [],
  });
  thread.unref();
  // Without the thread the main thread still notices, only later.
  thread.on('error', () => {});
  return { mind: (folder) => thread.postMessage(folder) };
}

/** Images and results of a task nobody will fetch. Synchronous: the process has moments to live. */
export function leaveNothing(home: string, results: string | undefined): void {
  // What is not absolute, or is a root, is none of ours.
  for (const folder of [home, results])
    if (folder && isAbsolute(folder) && dirname(folder) !== folder)
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

if (!isMainThread && parentPort && (workerData as Watched | undefined)?.home) {
  const { home, parent } = workerData as Watched;
  let results: string | undefined;
  parentPort.on('message', (folder: string | undefined) => {
    results = folder;
  });
  setInterval(() => {
    if (process.ppid === parent) return;
    leaveNothing(home, results);
    process.kill(process.pid, 'SIGKILL');
  }, LOOK_EVERY_MS);
}
