/**
 * What happens to the rest of a body after it was refused: closing at once would reset the connection and the client
 * would never read why (the lingering close of RFC 9112 §9.6). So the rest is read and dropped, for a bounded time.
 */
import type { IncomingMessage } from 'node:http';
import type { HttpLimits } from './limits.js';

/** To be called once the answer is sent. */
export function linger(raw: IncomingMessage, limits: HttpLimits): void {
  const { socket } = raw;
  if (raw.complete || raw.destroyed || socket.destroyed) return;
  const end = (): void => {
    clearTimeout(whole);
    clearInterval(idle);
  };
  const cut = (): void => {
    end();
    socket.destroy();
  };
  let seen = socket.bytesRead;
  const whole = setTimeout(cut, limits.lingerMs);
  const idle = setInterval(() => {
    if (socket.bytesRead === seen) cut();
    seen = socket.bytesRead;
  }, limits.lingerIdleMs);
  whole.unref();
  idle.unref();
  raw.once('end', end);
  raw.once('close', end);
  raw.on('error', () => {});
  raw.resume();
}
