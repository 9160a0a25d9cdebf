/**
 * The same with graphile-worker: `addJob` to the first line of the task, on the same embedded PostgreSQL with the same settings.
 * Arguments: its folder in node_modules, number of jobs.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { EmbeddedPostgres } from '../../../packages/server/dist/state/embedded/embedded-postgres.js';
import { latencies } from './latencies.js';
import { inFolder } from './served.js';

interface Graphile {
  run(options: object): Promise<{
    addJob(task: string, payload: object): Promise<unknown>;
    stop(): Promise<void>;
  }>;
  Logger: new (make: () => () => void) => object;
}

const [folderOfPackage, count] = process.argv.slice(2);
const { default: graphile } = (await import(pathToFileURL(join(folderOfPackage, 'dist/index.js')).href)) as {
  default: Graphile;
};

await inFolder(async (folder) => {
  const home = join(folder, 'home');
  mkdirSync(home, { mode: 0o711 });
  const postgres = await EmbeddedPostgres.start({ home });
  const pgPool = new pg.Pool({ connectionString: postgres.url });
  // Its connections end with the database, below; without a listener that would be a crash.
  pgPool.on('error', () => undefined);
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  let started: (n: number) => void = () => undefined;
  let running = 0;
  const runner = await graphile.run({
    pgPool,
    concurrency: 1,
    noHandleSignals: true,
    logger: new graphile.Logger(() => () => undefined),
    taskList: {
      bench: async ({ n }: { n: number }) => {
        running++;
        started(n);
        running--;
      },
    },
  });
  await latencies(Number(count), {
    onStarted: (listener) => {
      started = listener;
    },
    async enqueue(n) {
      await runner.addJob('bench', { n });
    },
    isIdle: async () => running === 0,
  });
  await runner.stop();
  await pgPool.end();
  await postgres.stop();
});
process.exit(0);
