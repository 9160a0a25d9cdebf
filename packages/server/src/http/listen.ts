/** Opens the ports: the one that serves all, and those that protocols have for themselves. */
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { isLoopback, mayListen } from '../accounts/networks.js';
import type { HttpContext } from './context.js';
import { HttpError } from './http-error.js';

export interface Door {
  /** 'main', or the protocol's name. */
  readonly name: string;
  readonly app: FastifyInstance;
  /** '' or '::': all addresses. */
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
}

export interface OpenDoor {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

export interface Listening {
  readonly doors: readonly OpenDoor[];
  /**
   * Says at once that it is not ready and ends event streams; after `noticeMs` (default 0: time for a load balancer to
   * see it) takes no more connections, waits up to `graceMs` for requests in flight, then cuts what is left; gives how
   * many those were.
   */
  stop(graceMs: number, noticeMs?: number): Promise<number>;
}

/**
 * Opens all doors or none. Throws AccountError `no-accounts` for a door beyond this machine while nobody can sign in,
 * HttpError `port-taken`, `port-forbidden`, `bad-address`.
 */
export async function listen(context: HttpContext, doors: readonly Door[]): Promise<Listening> {
  if (doors.some(({ host }) => !isLoopback(host))) {
    const hasAccounts = !(await context.accounts.needsSetup());
    for (const { host } of doors) mayListen({ host, hasAccounts });
  }
  const open: OpenDoor[] = [];
  try {
    for (const door of doors) open.push(await openDoor(door));
  } catch (error) {
    await Promise.all(doors.map(({ app }) => app.close()));
    throw error;
  }
  return { doors: open, stop: (graceMs, noticeMs = 0) => stop(context, doors, graceMs, noticeMs) };
}

async function openDoor({ name, app, host, port }: Door): Promise<OpenDoor> {
  try {
    await app.listen({ host: host === '' ? '::' : host, port });
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, name, host, port);
  }
  const taken = (app.server.address() as AddressInfo).port;
  return { name, host, port: taken, url: `http://${reachable(host)}:${taken}` };
}

/** A name that a browser on this machine can use. */
function reachable(host: string): string {
  if (host === '' || host === '::' || host === '0.0.0.0') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function listenError(error: NodeJS.ErrnoException, name: string, host: string, port: number): unknown {
  const where = `${host === '' ? 'all addresses' : host}, port ${port} (${name})`;
  const details = { where, cause: error };
  switch (error.code) {
    case 'EADDRINUSE':
      return new HttpError('port-taken', `Port ${port} is in use by another program`, {
        ...details,
        next: 'Stop that program (it may be an Isocenter that runs already), or choose another port with --port.',
      });
    case 'EACCES':
      return new HttpError('port-forbidden', `Port ${port} may not be opened by this user`, {
        ...details,
        next: 'Choose a port above 1023 with --port, or let a proxy stand before it.',
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new HttpError('bad-address', 'This machine does not have the address that it is to listen on', {
        ...details,
        next: 'Choose one of its own addresses with --host; 127.0.0.1 always works, 0.0.0.0 is all of them.',
      });
    default:
      return error;
  }
}

async function stop(
  { drain, log }: HttpContext,
  doors: readonly Door[],
  graceMs: number,
  noticeMs: number,
): Promise<number> {
  drain.start();
  if (noticeMs > 0) await setTimeout(noticeMs);
  const closed = Promise.all(doors.map(({ app }) => app.close()));
  const finished = await drain.finished(graceMs);
  const cut = drain.inFlight;
  if (!finished) log.warn({ requests: cut }, 'requests that did not end in time are cut');
  for (const { app } of doors) app.server.closeAllConnections();
  await closed;
  return cut;
}

/**
 * Names that `Host` may have (HttpSettings.hosts). A server that only this machine reaches knows its names, so a page
 * whose own name was pointed at 127.0.0.1 (DNS rebinding) gets nothing; elsewhere the administrator's names are unknown.
 */
export function knownHosts(about: {
  readonly hosts: readonly string[];
  readonly publicUrl?: string | undefined;
  readonly trustedProxies: readonly string[];
}): readonly string[] | undefined {
  if (about.trustedProxies.length > 0 || about.hosts.some((host) => !isLoopback(host))) return undefined;
  const names = new Set([
    'localhost',
    '127.0.0.1',
    '[::1]',
    ...about.hosts.map((host) => reachable(host).toLowerCase()),
  ]);
  if (about.publicUrl !== undefined) names.add(new URL(about.publicUrl).hostname);
  return [...names];
}
