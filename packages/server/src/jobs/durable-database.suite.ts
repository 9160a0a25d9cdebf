/** A PostgreSQL of its own for one test file: with fsync, and with a life that the test may end. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, createPool } from '../state/connect.js';
import { EmbeddedPostgres } from '../state/embedded/embedded-postgres.js';
import { migrate } from '../state/migrate.js';

export interface DurableDatabase {
  readonly postgres: EmbeddedPostgres;
  readonly url: string;
  close(): Promise<void>;
}

export async function durableDatabase(): Promise<DurableDatabase> {
  const home = await mkdtemp(join(tmpdir(), 'isocenter-durable-'));
  await chmod(home, 0o711);
  const postgres = await EmbeddedPostgres.start({ home });
  const db = createDatabase(createPool(postgres.url));
  await migrate(db);
  await db.destroy();
  return {
    postgres,
    url: postgres.url,
    close: async () => {
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
