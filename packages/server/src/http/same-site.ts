/** Cross-site request forgery: a browser sends our cookie along, so a write must come from our own pages. */
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { HttpSettings } from './context.js';
import { HttpError } from './http-error.js';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** 'none': typed by the user, no page asked for it. */
const OWN = new Set(['same-origin', 'none']);

/**
 * Throws HttpError `cross-site` for a write that another site's page may have caused. Browsers say where it comes from
 * in Sec-Fetch-Site (Fetch Metadata) or Origin (RFC 6454); one that says neither is refused.
 */
export function checkSameSite(request: FastifyRequest, settings: HttpSettings): void {
  if (!SAFE.has(request.method) && fromOwnPage(request, settings) !== true) throw crossSite();
}

/** For writes without a session (sign-in): programs say nothing about a page, and that is fine. */
export function checkNotCrossSite(request: FastifyRequest, settings: HttpSettings): void {
  if (!SAFE.has(request.method) && fromOwnPage(request, settings) === false) throw crossSite();
}

/**
 * For writes that are let in for their network alone: a page whose own name was pointed at this server (DNS rebinding) says
 * the truth when it claims to be of the host that it writes to. An address cannot be pointed elsewhere; of names only ours
 * count. Throws HttpError `cross-site`.
 */
export function checkNotRebound(request: FastifyRequest, { publicUrl }: HttpSettings): void {
  const { origin } = request.headers;
  if (SAFE.has(request.method) || origin === undefined) return;
  const name = URL.canParse(origin) ? new URL(origin).hostname : '';
  const ours = publicUrl !== undefined && name === new URL(publicUrl).hostname;
  if (!ours && name !== 'localhost' && isIP(name.replace(/^\[|\]$/g, '')) === 0) throw crossSite();
}

/** Undefined when the request says nothing about a page. */
function fromOwnPage(request: FastifyRequest, settings: HttpSettings): boolean | undefined {
  const site = request.headers['sec-fetch-site'];
  if (typeof site === 'string') return OWN.has(site);
  const { origin } = request.headers;
  return origin === undefined ? undefined : isOwn(request, origin, settings);
}

function crossSite(): HttpError {
  return new HttpError('cross-site', 'A write with a session must come from a page of this server', {
    next: 'Programs use an API key instead of a session.',
  });
}

function isOwn(request: FastifyRequest, origin: string, settings: HttpSettings): boolean {
  if (settings.publicUrl !== undefined && origin === new URL(settings.publicUrl).origin) return true;
  return origin === `${request.protocol}://${request.host}`;
}
