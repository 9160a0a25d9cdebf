/** The few cookies we set: the session, and the state of a login elsewhere. Values are tokens of ours, so nothing is quoted. */
import type { FastifyReply, FastifyRequest } from 'fastify';

export const SESSION_COOKIE = 'isocenter_session';
export const FLOW_COOKIE = 'isocenter_flow';

const TOKEN = /^[A-Za-z0-9._~+/=-]{1,4000}$/;

/** The first cookie of this name; undefined when it is missing or no token. */
export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  const header = request.headers.cookie;
  if (header === undefined) return undefined;
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at < 0 || pair.slice(0, at).trim() !== name) continue;
    const value = pair.slice(at + 1).trim();
    return TOKEN.test(value) ? value : undefined;
  }
  return undefined;
}

export interface CookieOptions {
  readonly expiresAt: Date;
  readonly secure: boolean;
  /** 'Lax' only where another site must send the browser back to us with it. */
  readonly sameSite?: 'Strict' | 'Lax';
  readonly path?: string;
}

export function setCookie(reply: FastifyReply, name: string, value: string, options: CookieOptions): void {
  const parts = [
    `${name}=${value}`,
    `Path=${options.path ?? '/'}`,
    `Expires=${options.expiresAt.toUTCString()}`,
    'HttpOnly',
    `SameSite=${options.sameSite ?? 'Strict'}`,
  ];
  if (options.secure) parts.push('Secure');
  reply.header('set-cookie', parts.join('; '));
}

export function clearCookie(reply: FastifyReply, name: string, secure: boolean, path = '/'): void {
  setCookie(reply, name, '', { expiresAt: new Date(0), secure, path });
}
