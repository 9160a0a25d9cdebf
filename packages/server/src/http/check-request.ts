/** What is refused whatever the route: tricks in the path, foreign host names, codings that nobody asked for. */
import type { FastifyRequest } from 'fastify';
import type { HttpContext } from './context.js';
import { HttpError } from './http-error.js';

/** NUL, backslash, and `.` or `..` as a segment, plain or percent-coded once or twice: no address of ours has them. */
const TRICK = /%00|%2500|\\|%5c|%255c|(?:^|[/]|%2f|%252f)(?:\.|%2e|%252e){1,2}(?=$|[/?#]|%2f|%252f)/i;

/** Throws HttpError `path-too-long`, `bad-path`, `misdirected`, `unsupported-encoding`. */
export function checkRequest(request: FastifyRequest, { limits, settings }: HttpContext): void {
  const url = request.raw.url ?? '/';
  if (url.length > limits.urlBytes)
    throw new HttpError('path-too-long', `The address is longer than ${limits.urlBytes} bytes`);
  const query = url.indexOf('?');
  if (TRICK.test(query < 0 ? url : url.slice(0, query)))
    throw new HttpError('bad-path', 'The address has a segment or character that no address here has');
  if (settings.hosts !== undefined && !settings.hosts.includes(hostName(request.headers.host ?? '')))
    throw new HttpError('misdirected', 'This server is not known by the name in the Host header', {
      next: 'Use the address that it prints at start, or set publicUrl.',
    });
  const coding = request.headers['content-encoding'];
  if (coding === undefined || coding === '' || coding.toLowerCase() === 'identity') return;
  if (coding.toLowerCase() === 'gzip' && request.routeOptions.config.gzip === true) return;
  throw new HttpError('unsupported-encoding', 'This address does not take a coded body', {
    next: 'Send it without Content-Encoding.',
    headers: { 'accept-encoding': request.routeOptions.config.gzip === true ? 'gzip' : 'identity' },
  });
}

/** Without port, lower case; IPv6 keeps its brackets. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}
