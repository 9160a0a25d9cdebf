/** Upstream's request auditor: what arrives at a server of S3, with and without a vendor; and nothing there costs an answer. */
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { protocolServer } from '../protocol-server.suite.js';
import { ask, readAnswer, requestBody } from './arterys.suite.js';
import { arterys } from './routes.js';

/** It comes without types. */
const S3rver = createRequire(import.meta.url)('s3rver') as new (
  options: Readonly<Record<string, unknown>>,
) => { run(): Promise<{ readonly port: number }>; close(): Promise<void> };
const HANDLER = `export default () => ({ json: { protocol_version: '1.0', parts: [] } });\n`;

describe('the request auditor', () => {
  let folder = '';
  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER');
    folder = await mkdtemp(join(tmpdir(), 'isocenter-arterys-'));
    await writeFile(join(folder, 'handler.mjs'), HANDLER);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  const serverWith = (requestAuditBucket: string) => {
    const handler = join(folder, 'handler.mjs');
    const routes = { '/': handler, '/vendor': { handler, vendor: 'Our Lab' } };
    return protocolServer([arterys], {
      flags: { requestAuditBucket, protocols: JSON.stringify({ arterys: { routes } }) },
    });
  };
  const answered = async (url: string, path: string, bytes: string) =>
    readAnswer(await ask(url, path, { body: requestBody([Buffer.from(bytes)]) })).hashes;

  it('makes an empty object named by both hashes, tagged with the vendor', async () => {
    const seen: IncomingMessage[] = [];
    const bucket = createServer((request, response) => {
      seen.push(request);
      request.resume().once('end', () => response.end());
    }).listen(0, '127.0.0.1');
    await once(bucket, 'listening');
    const { port } = bucket.address() as AddressInfo;
    const server = await serverWith(`s3://audited/arterys?endpoint=http://127.0.0.1:${port}`);
    try {
      const first = await answered(server.url, '/', 'one');
      await vi.waitFor(() => expect(seen).toHaveLength(1), 60_000);
      const second = await answered(server.url, '/vendor', 'two');
      await vi.waitFor(() => expect(seen).toHaveLength(2), 60_000);
      expect(
        seen.map(({ method, url, headers }) => [
          method,
          decodeURIComponent(new URL(url ?? '', 'http://s3').pathname),
          headers['x-amz-tagging'],
          headers['content-length'],
        ]),
      ).toEqual([
        ['PUT', `/audited/arterys/${first}`, 'Vendor=Unknown', '0'],
        ['PUT', `/audited/arterys/${second}`, 'Vendor=Our+Lab', '0'],
      ]);
    } finally {
      await server.close();
      bucket.close();
      bucket.closeAllConnections();
    }
  });

  it('is taken by a server of S3 that is not ours, and the mark is there when the server has closed', async () => {
    const directory = join(folder, 's3');
    const configureBuckets = [{ name: 'audited', configs: [] }];
    const s3 = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets });
    const { port } = await s3.run();
    const server = await serverWith(`s3://audited?endpoint=http://127.0.0.1:${port}`);
    const hashes = await answered(server.url, '/', 'one').finally(() => server.close());
    const files = await readdir(directory, { recursive: true });
    await s3.close();
    expect(files.map(decodeURIComponent).some((file) => file.includes(hashes))).toBe(true);
  });

  it('only logs that the bucket refuses, is not there, or is none', async () => {
    const refusing = createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(403).end());
    }).listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const { port } = refusing.address() as AddressInfo;
    for (const setting of [`s3://audited?endpoint=http://127.0.0.1:${port}`, 'ftp://topsecret']) {
      const server = await serverWith(setting);
      try {
        expect(await answered(server.url, '/', 'one')).toMatch(/^[0-9a-f]{64}:[0-9a-f]{64}$/);
        await vi.waitFor(() => expect(server.logged.join('')).toContain('no mark was made'), 60_000);
        expect(server.logged.join('')).not.toContain('topsecret');
      } finally {
        await server.close();
      }
    }
    refusing.close();
    refusing.closeAllConnections();
  });
});
