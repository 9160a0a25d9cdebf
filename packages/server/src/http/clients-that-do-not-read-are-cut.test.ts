import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { binary, operation } from '@isocenter/client';
import { describe, expect, it, vi } from 'vitest';
import { createApp } from './app.js';
import { ADMIN_KEY, fakeContext, portOf } from './fake-context.suite.js';
import { implement } from './implement.js';

const GIGABYTE = 1024 ** 3;
const request = `GET /isocenter/v1/big HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\n\r\n`;

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024);
}

describe('a client that asks for a file and does not read it', () => {
  it('is cut, and its file is closed; one that reads slowly is not', async () => {
    const context = fakeContext({ limits: { stallMs: 1_500 } });
    const app = createApp(context);
    const files: Readable[] = [];
    implement(
      app,
      operation({
        method: 'GET',
        path: '/isocenter/v1/big',
        summary: 'Many bytes',
        tag: 'test',
        permission: 'jobs.read',
        answer: binary('application/octet-stream'),
      }),
      async () => ({
        mediaType: 'application/octet-stream',
        bytes: GIGABYTE,
        open: async () => {
          const file = Readable.from(endless());
          files.push(file);
          return file;
        },
      }),
    );
    await app.listen({ port: 0, host: '127.0.0.1' });
    const open = () => {
      const socket = connect(portOf(app), '127.0.0.1', () => socket.write(request));
      socket.on('error', () => {});
      return socket;
    };
    const deaf = open().pause();
    await vi.waitFor(() => expect(files).toHaveLength(1));
    const slow = open().pause();
    // A swallow every now and then, far less than the file would give.
    const swallowing = setInterval(() => slow.read(), 50);
    await vi.waitFor(() => expect(files).toHaveLength(2));
    await vi.waitFor(() => expect(files[0]!.destroyed).toBe(true), { timeout: 20_000 });
    expect(files[1]!.destroyed).toBe(false);
    clearInterval(swallowing);
    deaf.destroy();
    slow.destroy();
    await vi.waitFor(() => expect(context.drain.inFlight).toBe(0));
    expect(files[1]!.destroyed).toBe(true);
    await app.close();
  });
});
