/**
 * How the embedded PostgreSQL runs: durable, small, silent about contents. Given on the command line, so that an upgrade of
 * Isocenter changes them for existing data too.
 */
import type { Location } from './location.js';

export interface EmbeddedSettings {
  /** Also on 127.0.0.1 at this port; default: the Unix socket only. */
  readonly tcpPort?: number;
  /** False only in tests: a power cut may then lose everything. */
  readonly durable?: boolean;
}

/** The name in the socket's file only; nothing listens on it. */
export const SOCKET_PORT = 5432;

export function postgresArguments(location: Location, { tcpPort, durable = true }: EmbeddedSettings): string[] {
  const settings: Record<string, string | number> = {
    cluster_name: location.clusterName,
    listen_addresses: tcpPort === undefined ? '' : '127.0.0.1',
    port: tcpPort ?? SOCKET_PORT,
    // A list: a name with a comma needs quotes.
    unix_socket_directories: `"${location.run.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    max_connections: 100,
    // 32 MB hold the hot part of a million rows; what is colder the system's file cache has.
    shared_buffers: '32MB',
    effective_cache_size: '512MB',
    work_mem: '8MB',
    maintenance_work_mem: '64MB',
    // One machine, one writer: no replication, no helper processes for reading, no compiler for queries of milliseconds.
    io_method: 'sync',
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_logical_replication_workers: 0,
    max_parallel_workers_per_gather: 0,
    jit: 'off',
    max_wal_size: '512MB',
    fsync: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    // Starts, stops and crashes; never a statement, a value or a key that was refused: they may name a patient.
    log_destination: 'stderr',
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
  };
  return ['-D', location.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** What the programs of PostgreSQL see of our environment: nothing that could change or betray us. */
export const postgresEnvironment: NodeJS.ProcessEnv = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
