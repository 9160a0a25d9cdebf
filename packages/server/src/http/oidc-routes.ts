/** Sign-in with an OpenID Connect provider: there and back. What is checked on the way is in accounts/oidc. */
import type { FastifyInstance } from 'fastify';
import { clearCookie, cookieOf, FLOW_COOKIE, SESSION_COOKIE, setCookie } from './cookies.js';
import { HttpError } from './http-error.js';
import { sendPage } from './pages/layout.js';
import { enteringPage } from './pages/sign-in-page.js';
import { isSecure } from './request-call.js';

/** The registered redirect URI is the public address with CALLBACK_PATH. */
export const CALLBACK_PATH = '/auth/oidc/callback';
const FOLDER = '/auth/oidc';

export function serveOidc(app: FastifyInstance): void {
  const { context } = app;
  const open = { config: { access: 'public' }, exposeHeadRoute: false } as const;
  const provider = () => {
    if (context.accounts.provider !== undefined) return context.accounts.provider;
    throw new HttpError('not-found', 'No sign-in provider is configured here', {
      next: 'Sign in with name and password.',
    });
  };

  app.get(`${FOLDER}/begin`, open, async (request, reply) => {
    const { returnTo } = request.query as { readonly returnTo?: unknown };
    const { url, cookie, expiresAt } = await provider().begin({
      address: request.ip,
      ...(typeof returnTo === 'string' ? { returnTo } : {}),
    });
    // Lax: the provider's site sends the browser back, and a Strict cookie would stay behind.
    setCookie(reply, FLOW_COOKIE, cookie, {
      expiresAt,
      secure: isSecure(request, context),
      sameSite: 'Lax',
      path: FOLDER,
    });
    return reply.redirect(url, 303);
  });

  app.get(CALLBACK_PATH, open, async (request, reply) => {
    const secure = isSecure(request, context);
    const previous = cookieOf(request, SESSION_COOKIE);
    clearCookie(reply, FLOW_COOKIE, secure, FOLDER);
    const { token, expiresAt, returnTo } = await provider().finish({
      query: new URL(request.raw.url ?? '/', 'http://self').searchParams,
      cookie: cookieOf(request, FLOW_COOKIE),
      address: request.ip,
      ...(previous === undefined ? {} : { previous }),
    });
    setCookie(reply, SESSION_COOKIE, token, { expiresAt, secure });
    // Not a redirect: that would still count as coming from the provider's site, and the Strict cookie would not be sent.
    reply.header('refresh', `0; url=${returnTo ?? '/'}`);
    sendPage(reply, enteringPage(returnTo ?? '/'));
    return reply;
  });
}
