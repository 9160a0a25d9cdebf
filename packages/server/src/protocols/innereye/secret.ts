/** The header in which InnerEye's clients send their secret (specs/protocols.md 1.3). */
import type { FastifyRequest } from 'fastify';

export const HEADER = 'API_AUTH_SECRET';

/** With hyphens, too: proxies drop names with underscores, and upstream's server took one for the other. */
const NAMES = ['api_auth_secret', 'api-auth-secret'];

/**
 * Undefined when the header is not there. Several of them are no secret, also when they are alike: which one a proxy before
 * us has looked at is not known.
 */
export function secretOf({ raw }: Pick<FastifyRequest, 'raw'>): string | undefined {
  const given: string[] = [];
  // Node joins repeated headers with commas in `headers`; here they are as they came.
  for (let at = 0; at < raw.rawHeaders.length; at += 2)
    if (NAMES.includes((raw.rawHeaders[at] as string).toLowerCase())) given.push(raw.rawHeaders[at + 1] as string);
  if (given.length > 1) return '';
  return given[0] === undefined ? undefined : textOf(given[0]);
}

/** Node gives bytes as Latin-1; a secret beyond ASCII was most likely typed as UTF-8. */
function textOf(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
