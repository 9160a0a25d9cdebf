/** The first look at a PostgreSQL that somebody else runs: is the address right, may we in, is it new enough? */
import pg from 'pg';
import { connectFailure } from './postgres-error.js';
import { StateError } from './state-error.js';

const OLDEST = 14;
const VERSION_STEP = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Throws StateError `bad-url`, `unknown-host`, `unavailable`, `wrong-password`, `no-database`, `tls`, `database-too-old`; none of
 * them holds the user or the password.
 */
export async function checkExternal(url: string, oldest = OLDEST): Promise<void> {
  const place = placeOf(url);
  let client: pg.Client;
  try {
    client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  } catch (error) {
    // pg reads the certificates that the URL names here.
    throw new StateError('bad-url', 'A file that DATABASE_URL names cannot be read.', {
      where: (error as { path?: string }).path ?? place,
      next: 'Check sslcert, sslkey and sslrootcert.',
    });
  }
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ readonly version: string }>('select current_setting($1) as version', [
      'server_version_num',
    ]);
    const major = Math.floor(Number(rows[0]?.version) / VERSION_STEP);
    if (major < oldest) {
      throw new StateError('database-too-old', `PostgreSQL ${major} is too old.`, {
        where: place,
        next: `Use PostgreSQL ${oldest} or newer, or leave DATABASE_URL out for the built-in one.`,
      });
    }
  } catch (error) {
    throw connectFailure(error, place);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Host, port and database of an address, for messages. */
export function placeOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url.replace('@/', '@localhost/'));
  } catch {
    throw badUrl();
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') throw badUrl();
  const host = parsed.searchParams.get('host') ?? parsed.hostname;
  return `${host || 'localhost'}:${parsed.port || '5432'}${parsed.pathname}`;
}

function badUrl(): StateError {
  return new StateError('bad-url', 'DATABASE_URL is not an address of a PostgreSQL database.', {
    where: 'DATABASE_URL',
    next: 'Write postgresql://USER:PASSWORD@HOST:5432/DATABASE; characters such as @ or / in the password as %40, %2F.',
  });
}
