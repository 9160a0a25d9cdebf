/** Orthanc beside us: a fresh folder, no plugins, its SQLite index; or the index in a PostgreSQL, for which it gets the one we ship. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../../packages/server/dist/state/embedded/embedded-postgres.js';
import { freePort, isOk, type Program, startProgram, until } from './served.js';

export const POSTGRES_PLUGIN = '/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so';

export interface Orthanc {
  readonly program: Program;
  readonly url: string;
  readonly roots: readonly number[];
  /** Resolves when /system answers. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOrthanc(folder: string, index: 'sqlite' | 'postgresql'): Promise<Orthanc> {
  const [port, dicomPort] = [await freePort(), await freePort()];
  const postgres = index === 'postgresql' ? await startPostgres(folder) : undefined;
  const file = join(folder, 'orthanc.json');
  const settings = {
    Name: 'bench',
    StorageDirectory: join(folder, 'storage'),
    IndexDirectory: join(folder, 'storage'),
    HttpPort: port,
    DicomPort: dicomPort,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    Plugins: postgres ? [POSTGRES_PLUGIN] : [],
    ...(postgres ? { PostgreSQL: { EnableIndex: true, EnableStorage: false, ...connection(postgres.url) } } : {}),
  };
  writeFileSync(file, JSON.stringify(settings));
  const program = startProgram(['Orthanc', file]);
  const url = `http://127.0.0.1:${port}`;
  return {
    program,
    url,
    roots: postgres ? [program.pid, postgres.pid] : [program.pid],
    ready: () => until(program, () => isOk(`${url}/system`)),
    async stop() {
      await program.stop();
      await postgres?.stop();
    },
  };
}

async function startPostgres(folder: string): Promise<EmbeddedPostgres> {
  const home = join(folder, 'home');
  if (!existsSync(home)) mkdirSync(home, { mode: 0o711 });
  return EmbeddedPostgres.start({ home });
}

function connection(url: string) {
  const { username, password, pathname, searchParams } = new URL(url);
  return {
    Host: searchParams.get('host'),
    Port: Number(searchParams.get('port')),
    Database: pathname.slice(1),
    Username: username,
    Password: password,
  };
}
