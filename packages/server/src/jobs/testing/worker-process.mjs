// A worker as a process of its own, from the built package; started by worker-process.suite.ts with its wish as JSON.
// Says `ready ID` on its output, ends itself cleanly at SIGTERM, and when the test that started it is gone.
import { openAuditLog } from '../../../dist/audit/open-audit-log.js';
import { openFileStore } from '../../../dist/blobs/file-store.js';
import { openBlobs } from '../../../dist/blobs/open-blobs.js';
import { startWorker } from '../../../dist/jobs/worker.js';
import { createDatabase, createPool } from '../../../dist/state/connect.js';
import { fakeHandler } from './fake-handler.mjs';

const {
  url,
  blobFolder,
  copyFolder,
  workFolder,
  slots = 1,
  journal,
  graceMs,
  leaseMs,
  ...rest
} = JSON.parse(process.argv[2]);
const pool = createPool(url, { applicationName: 'isocenter test worker' });
const db = createDatabase(pool);
const audit = openAuditLog({ db });
const blobs = await openBlobs({
  db,
  store: await openFileStore(blobFolder),
  audit,
  reserveBytes: 0,
  copyFolder,
  leaseMs,
});
const log = Object.fromEntries(
  ['info', 'warn', 'error'].map((level) => [
    level,
    (fields, text) => console.error(level, text, JSON.stringify(fields)),
  ]),
);
const worker = await startWorker({
  ...rest,
  db,
  url,
  blobs,
  audit,
  handlers: [fakeHandler({ journal })],
  slots,
  workFolder,
  log,
});
console.log(`ready ${worker.id}`);

async function leave() {
  await worker.stop(graceMs);
  await db.destroy();
  process.exit(0);
}
process.once('SIGTERM', leave);
// The pipe ends when the test ends, however it ends.
process.stdin.on('end', () => process.exit(1)).resume();
