/** A result of more bytes than sockets hold is deleted by the fetch that got all of it, and by no other. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobHandler } from '../../jobs/job-handler.js';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { protocolServer } from '../protocol-server.suite.js';
import { RESULT_FILE, SEGINT } from './job-handler.js';
import { segint } from './segint.js';
import { PROTOBUF, SegintClient } from './segint.suite.js';

/** Both buffers of a connection on loopback are smaller together. */
const LARGE = 64 * 2 ** 20;
const content = randomBytes(LARGE);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** No model makes masks that pack so badly: the job is one of ours, all behind it is real. */
const largeResult: JobHandler = {
  kind: SEGINT,
  steps: [{ step: 'write', share: 1 }],
  retryable: () => false,
  async run(_, { workFolder }) {
    const path = join(workFolder, RESULT_FILE);
    await writeFile(path, content);
    const output = { texts: ['{"Data":"', '"}'], data: [{ at: 0, length: LARGE }] };
    return { report: { output }, files: [{ path, name: RESULT_FILE, mediaType: PROTOBUF }] };
  },
};

describe('a large result', () => {
  let server: RestServer;
  let client: SegintClient;
  beforeAll(async () => {
    server = await protocolServer([{ ...segint, handlers: () => [largeResult] }], { limits: { idleMs: 1_000 } });
    client = new SegintClient(server);
  }, 60_000);
  afterAll(() => server.close());

  /** Reads at least one megabyte of the body, then the connection is gone. */
  function leaveInTheMiddle(path: string, accept: string): Promise<number> {
    const { port } = new URL(server.url);
    return new Promise((resolve, reject) => {
      let read = 0;
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\n\r\n`),
      );
      socket.on('data', (chunk) => {
        read += chunk.length;
        if (read < 2 ** 20 || socket.destroyed) return;
        socket.resetAndDestroy();
        resolve(read);
      });
      socket.once('error', reject);
    });
  }

  it.each([PROTOBUF, 'application/json'])(
    'stays when its client leaves in the middle of it (%s)',
    async (accept) => {
      const id = await client.start(new Uint8Array());
      await client.ended(id);
      const path = `${client.path}/${id}/result`;
      for (let n = 0; n < 3; n++) expect(await leaveInTheMiddle(path, accept)).toBeLessThan(LARGE / 2);
      const answer = await client.ask('GET', path);
      expect(answer.status).toBe(200);
      expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(sha256(content));
      expect((await client.ask('GET', path)).status).toBe(400);
    },
    120_000,
  );
});
