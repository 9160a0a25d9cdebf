/** What tests may need from outside: the shared imaging data and reference programs. Absent ones skip loudly, with the reason in the name. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

export const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const sharedData = process.env.ISOCENTER_SHARED_DATA ?? join(repositoryRoot, '../shared/data');

/** `describe` over one folder of ../shared/data; the callback gets its path. Skipped, with the reason, where it is absent. */
export function describeWithData(folder: string, title: string, body: (path: string) => void): void {
  const path = join(sharedData, folder);
  if (existsSync(path)) describe(title, () => body(path));
  // The body is not run: it may look into the folder to see which tests there are.
  else
    describe(title, () => {
      it.skip(`(skipped: no ${path}; set ISOCENTER_SHARED_DATA)`);
    });
}

/** `describe` that needs programs on the PATH (`dciodvfy`, `dcmdump`, `plastimatch` …). */
export function describeWithPrograms(programs: readonly string[], title: string, body: () => void): void {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0) describe(title, body);
  else describe.skip(`${title} (skipped: not installed: ${missing.join(', ')})`, body);
}

/** Python interpreter that can import all of `modules`, or undefined. ISOCENTER_PYTHON names it; `.ci/run` prepares one. */
export function pythonWith(modules: readonly string[]): string | undefined {
  for (const python of [process.env.ISOCENTER_PYTHON, join(repositoryRoot, 'bench/.peers/venv/bin/python'), 'python3'])
    if (python && spawnSync(python, ['-c', `import ${modules.join(',')}`]).status === 0) return python;
  return undefined;
}

/** `describe` that needs Python modules as oracle; the callback gets the interpreter. */
export function describeWithPython(modules: readonly string[], title: string, body: (python: string) => void): void {
  const python = pythonWith(modules);
  if (python) describe(title, () => body(python));
  else describe.skip(`${title} (skipped: no Python with ${modules.join(', ')})`, () => body('python3'));
}
