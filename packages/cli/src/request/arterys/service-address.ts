/** Where the service is: by host, port and route as the protocol's own test tool has them, or by one address. */
import { AddressError } from '../../remote/connect.js';

export interface ServiceOptions {
  readonly host?: string;
  readonly port?: number;
  readonly route?: string;
  /** With http:// or https://; takes the place of host and port, and of the route when it has a path. */
  readonly url?: string;
}

const DEFAULT_PORT = 8900;
/** "Any address" of a listener; as a destination only some systems take it. */
const ANY_ADDRESS = '0.0.0.0';
const LOOPBACK = '127.0.0.1';

/** Throws AddressError. */
export function serviceUrl({ host = LOOPBACK, port = DEFAULT_PORT, route, url }: ServiceOptions): URL {
  const name = host === ANY_ADDRESS ? LOOPBACK : host;
  const text = url ?? `http://${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${port}`;
  const found = URL.canParse(text) ? new URL(text) : undefined;
  if (found?.protocol !== 'http:' && found?.protocol !== 'https:')
    throw new AddressError('bad-address', 'This is not the address of a service', {
      where: text,
      next: 'Write --url http://host:port/route, or --host and --port.',
    });
  return route === undefined ? found : new URL(route.startsWith('/') ? route : `/${route}`, found);
}
