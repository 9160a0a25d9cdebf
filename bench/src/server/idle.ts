/**
 * Memory of all processes of a server that does nothing. Arguments: seconds of idling, who (`isocenter`, `isocenter-after-job`,
 * `orthanc`, `orthanc-postgresql`, `monailabel`), for the last its program.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@isocenter/client';
import { makePhantom } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { type OurServer, startIsocenter } from './isocenter.js';
import { startMonaiLabel } from './monai-label.js';
import { startOrthanc } from './orthanc.js';
import { megabytes, print } from './printed.js';
import { memoryOf, pssOf, treeOf } from './process-memory.js';
import { inFolder } from './served.js';

const [seconds, who, program] = process.argv.slice(2);
const MODEL = 'ct-basic';
/** A middling study: large enough that what a run leaves behind would show. */
const SIZE = [256, 256, 60] as const;
const SPACING = [1.8, 1.8, 5] as const;

await inFolder(async (folder) => {
  const { roots, stop, check = null } = await start(folder);
  try {
    await sleep(Number(seconds) * 1000);
    const figures = [`${treeOf(roots).length} processes`, `first process ${megabytes(pssOf(roots[0]))}`];
    print({ peakBytes: memoryOf(roots), check, figures });
  } finally {
    await stop();
  }
});
process.exit(0);

interface Idle {
  readonly roots: readonly number[];
  readonly check?: unknown;
  stop(): Promise<void>;
}

async function start(folder: string): Promise<Idle> {
  switch (who) {
    case 'orthanc':
    case 'orthanc-postgresql': {
      const orthanc = await startOrthanc(folder, who === 'orthanc' ? 'sqlite' : 'postgresql');
      await orthanc.ready();
      return orthanc;
    }
    case 'monailabel':
      return startMonaiLabel(program, folder);
    default: {
      const home = join(folder, 'home');
      if (who === 'isocenter-after-job') {
        const server = await startIsocenter(home);
        return { ...server, check: await oneJob(server) };
      }
      // What the first start makes is not there at the second: it would be counted as idle memory.
      await (await startIsocenter(home)).stop();
      return startIsocenter(home);
    }
  }
}

/** A study to contours, then the model is put out of memory, as after ten idle minutes. */
async function oneJob({ url, headers }: OurServer): Promise<unknown> {
  const client = createClient({ url, key: headers.authorization.replace('Bearer ', '') });
  const { files } = await makePhantom({ kind: 'thorax', size: SIZE, spacing: SPACING });
  const body = new Uint8Array(await writeZip(files));
  const { id } = await client.jobs.create({ model: MODEL, body });
  for await (const _ of client.jobs.events({ job: id }));
  const { state, files: made, report } = await client.jobs.get({ job: id });
  const { evicted } = await client.models.evict({ model: MODEL });
  return { state, files: made.length, structures: report?.structures?.length, evicted };
}
