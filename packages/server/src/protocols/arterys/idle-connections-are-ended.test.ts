/** Promise: the service on a port of its own watches over its connections, although another server accepts them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { handlerServer } from './handler-service.js';

const log = { debug() {}, info() {}, warn() {}, error() {} };

it('ends idle connections when it is told to', async () => {
  const service = handlerServer({}, { log, maximumBytes: 1, atOnce: 1 });
  // Neither may end by another clock.
  service.keepAliveTimeout = 0;
  const door = createServer((socket) => void service.emit('connection', socket)).listen(0, '127.0.0.1');
  await once(door, 'listening');
  const { port } = door.address() as AddressInfo;
  const idle = connect(port, '127.0.0.1');
  idle.write('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(idle, 'data');
  const gone = once(idle, 'close');
  service.closeIdleConnections();
  await gone;
  expect(idle.destroyed).toBe(true);
  door.close();
  await once(door, 'close');
  service.close();
});
