/** What an installation on several machines shares: a PostgreSQL of its own and an S3 store (s3rver), both outside of it. */
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openS3Store } from '../blobs/s3-store.js';
import { EmbeddedPostgres } from '../state/embedded/embedded-postgres.js';
import type { StoredObject } from './evidence.js';

/** It comes without types. */
const S3rver = createRequire(import.meta.url)('s3rver') as new (
  options: Readonly<Record<string, unknown>>,
) => { run(): Promise<{ readonly port: number }>; close(): Promise<void> };

const KEY = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };
const BUCKET = 'blobs';
const PREFIX = 'ours';

export interface ExternalServices {
  readonly databaseUrl: string;
  readonly blobStore: string;
  /** Credentials for whoever uses the blob store. */
  readonly env: NodeJS.ProcessEnv;
  /** The two addresses for machines that reach this one at `host`. */
  at(host: string): Promise<{ readonly databaseUrl: string; readonly blobStore: string }>;
  objects(): Promise<readonly StoredObject[]>;
  close(): Promise<void>;
}

export async function externalServices(): Promise<ExternalServices> {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-services-'));
  await chmod(folder, 0o711);
  const databasePort = await freePort();
  const postgres = await EmbeddedPostgres.start({ home: folder, tcpPort: databasePort });
  const s3 = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: join(folder, 's3'),
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  const { port: s3Port } = await s3.run();
  const relays: Relay[] = [];
  const storeAt = (host: string, port: number) =>
    `s3://${BUCKET}/${PREFIX}?region=eu-west-1&endpoint=${encodeURIComponent(`http://${host}:${port}`)}`;
  return {
    databaseUrl: postgres.url,
    blobStore: storeAt('127.0.0.1', s3Port),
    env: KEY,
    async at(host) {
      const [toDatabase, toStore] = [await relay(host, databasePort), await relay(host, s3Port)];
      relays.push(toDatabase, toStore);
      const databaseUrl = postgres.url.replace(`127.0.0.1:${databasePort}`, `${host}:${toDatabase.port}`);
      return { databaseUrl, blobStore: storeAt(host, toStore.port) };
    },
    async objects() {
      Object.assign(process.env, KEY);
      const endpoint = `http://127.0.0.1:${s3Port}`;
      const store = await openS3Store({
        bucket: BUCKET,
        prefix: PREFIX,
        region: 'eu-west-1',
        pathStyle: true,
        endpoint,
      });
      const objects: StoredObject[] = [];
      for await (const { key } of store.list('')) {
        const hash = createHash('sha256');
        let bytes = 0;
        for await (const chunk of await store.get(key)) {
          hash.update(chunk as Uint8Array);
          bytes += (chunk as Uint8Array).byteLength;
        }
        objects.push({ key, bytes, sha256: hash.digest('hex') });
      }
      return objects;
    },
    async close() {
      for (const each of relays) each.close();
      await s3.close();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Relay {
  readonly port: number;
  close(): void;
}

/** Both services listen on loopback only, as everything of ours does in tests; this stands at another address for them. */
async function relay(host: string, target: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection(target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }).listen(0, host);
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
