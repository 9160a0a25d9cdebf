/** Starts the server that a measuring script is told to measure: `isocenter`, or a Python server and its interpreter. */
import { join } from 'node:path';
import { startIsocenter } from './isocenter.js';
import { type PythonServer, startPython } from './python-server.js';
import type { Served } from './served.js';

export interface Addresses {
  readonly me: string;
  readonly upload: string;
}

/** `isocenter` runs without a worker: what is posted waits, and nothing competes with the door that is measured. */
export async function startContender(
  who: string,
  python: string | undefined,
  folder: string,
): Promise<Served & Addresses> {
  if (who === 'isocenter') {
    const served = await startIsocenter(join(folder, 'home'), ['--workers', '0']);
    const api = `${served.url}/isocenter/v1`;
    return { ...served, me: `${api}/me`, upload: `${api}/jobs?model=ct-basic` };
  }
  if (python === undefined) throw new Error(`${who} needs a Python interpreter`);
  const served = await startPython(who as PythonServer, python, folder);
  return { ...served, me: `${served.url}/me`, upload: `${served.url}/upload` };
}
