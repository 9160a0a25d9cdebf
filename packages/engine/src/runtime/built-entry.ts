/** Where the program of a child process lies: children are started from built JavaScript, also by tests that run from src/. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ComputeError } from './compute-error.js';

/** `importer`: import.meta.url of the caller; `name`: relative to it, with .js. Throws ComputeError `child-not-built`. */
export function builtEntry(importer: string, name: string): string {
  const here = dirname(fileURLToPath(importer));
  const built = here.replace(/([\\/])src(?=[\\/](?!.*[\\/]src[\\/]))/, '$1dist');
  const path = [join(here, name), join(built, name)].find(existsSync);
  if (path) return path;
  throw new ComputeError('child-not-built', 'The program of a child process is not built', {
    where: name,
    next: 'Run: npm run build',
  });
}
