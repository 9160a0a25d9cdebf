/**
 * From the call of `create` to the first line of the handler, on an idle worker and the embedded PostgreSQL with fsync. What a door does
 * before (receiving the images) is not in it. Argument: number of jobs.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openAuditLog } from '../../../packages/server/dist/audit/open-audit-log.js';
import { openFileStore } from '../../../packages/server/dist/blobs/file-store.js';
import { openBlobs } from '../../../packages/server/dist/blobs/open-blobs.js';
import { openJobs } from '../../../packages/server/dist/jobs/open-jobs.js';
import { startWorker } from '../../../packages/server/dist/jobs/worker.js';
import { openState } from '../../../packages/server/dist/state/open-state.js';
import { latencies } from './latencies.js';
import { inFolder } from './served.js';

const count = Number(process.argv[2]);
const KIND = 'bench';

await inFolder(async (folder) => {
  const state = await openState({ home: join(folder, 'home') });
  const { db, url } = state;
  const audit = openAuditLog({ db });
  const store = await openFileStore(join(folder, 'blobs'));
  const blobs = await openBlobs({ db, store, audit, reserveBytes: 0, copyFolder: join(folder, 'copies') });
  const jobs = await openJobs({ db, url, blobs, audit });
  mkdirSync(join(folder, 'work'));
  let started: (n: number) => void = () => undefined;
  const worker = await startWorker({
    db,
    url,
    blobs,
    audit,
    slots: 1,
    workFolder: join(folder, 'work'),
    handlers: [
      {
        kind: KIND,
        steps: [{ step: 'run', share: 1 }],
        async run(job) {
          started(Number(job.parameters.n));
          return { report: {}, files: [] };
        },
        retryable: () => false,
      },
    ],
  });
  const actor = { kind: 'key', id: 'bench', name: 'bench', role: 'administrator' } as const;
  await latencies(count, {
    onStarted: (listener) => {
      started = listener;
    },
    async enqueue(n) {
      await jobs.create({ kind: KIND, protocol: 'rest', actor, inputBlobIds: [], parameters: { n } });
    },
    isIdle: async () => {
      const { byState } = await jobs.statistics();
      return byState.queued + byState.running === 0 && worker.running.length === 0;
    },
  });
  await worker.stop();
  await jobs.close();
  await state.close();
});
process.exit(0);
