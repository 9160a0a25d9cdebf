/**
 * Connections are counted; above the limit requests are told to come back, except on routes that say `always` (health),
 * for which a few more connections stay free. Far above, the system refuses them.
 */
import type { Server } from 'node:http';
import type { HttpLimits } from './limits.js';

export class ConnectionCount {
  readonly #most: number;
  #open = 0;

  constructor(server: Server, limits: HttpLimits) {
    this.#most = limits.connections;
    server.maxConnections = limits.connections + limits.reservedConnections;
    server.on('connection', (socket) => {
      this.#open += 1;
      socket.once('close', () => {
        this.#open -= 1;
      });
    });
  }

  get open(): number {
    return this.#open;
  }

  get tooMany(): boolean {
    return this.#open > this.#most;
  }
}
