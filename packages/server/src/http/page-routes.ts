/** The addresses of the server's own pages. Until the console exists they are all that a browser sees. */
import { isFailure } from '@isocenter/volume';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { cookieOf, SESSION_COOKIE } from './cookies.js';
import { HttpError } from './http-error.js';
import { homePage } from './pages/home-page.js';
import { ICON_PATH, icon } from './pages/icon.js';
import { sendPage, wantsPage } from './pages/layout.js';
import { linkPage } from './pages/link-page.js';
import { problemPage, problemsPage, refusedPage } from './pages/problem-pages.js';
import { signedInPage, signInPage } from './pages/sign-in-page.js';
import { STYLE_PATH, style } from './pages/style.js';
import { problemOf } from './problem.js';

const LONGEST_TOKEN = 512;

export function servePages(app: FastifyInstance): void {
  const { context } = app;
  const { accounts, settings } = context;
  const open = { config: { access: 'public' } } as const;

  const signedIn = async (request: FastifyRequest) => {
    const sessionToken = cookieOf(request, SESSION_COOKIE);
    return sessionToken === undefined ? undefined : accounts.authenticate({ sessionToken, address: request.ip });
  };

  app.get('/', open, async (request, reply) => {
    const ready = await context.ready?.();
    reply.header('vary', 'accept, cookie');
    if (!wantsPage(request)) return { name: 'isocenter', version: settings.version, ready };
    const [needsSetup, person] = [await accounts.needsSetup(), await signedIn(request)];
    sendPage(reply, homePage({ version: settings.version, ready, needsSetup, person }));
    return reply;
  });

  app.get('/sign-in', open, async (request, reply) => {
    const actor = await signedIn(request);
    sendPage(
      reply,
      actor === undefined ? signInPage({ elsewhere: accounts.provider?.label }) : signedInPage(actor.name, actor.role),
    );
    return reply;
  });

  // One address for every kind of one-time link; `setup` is what first start prints.
  for (const path of ['/setup', '/invite'])
    app.get(path, { ...open, exposeHeadRoute: false }, async (request, reply) => {
      const { token } = request.query as { readonly token?: unknown };
      try {
        if (typeof token !== 'string' || token.length > LONGEST_TOKEN)
          throw new HttpError('validation', 'The link is not complete', { next: 'Copy all of it.' });
        sendPage(reply, linkPage({ token, link: await accounts.inspectLink(token, request.ip) }));
      } catch (error) {
        if (!isFailure(error)) throw error;
        const { document, headers } = problemOf(error, request.id);
        reply.headers(headers);
        sendPage(reply, refusedPage('This link is not valid', document.detail, document.next), document.status);
      }
      return reply;
    });

  app.get('/problems', open, (_request, reply) => sendPage(reply, problemsPage()));
  app.get('/problems/:area/:kind', open, (request, reply) => {
    const { area, kind } = request.params as { readonly area: string; readonly kind: string };
    const page = problemPage(area, kind);
    if (page === undefined) throw new HttpError('not-found', 'There is no such kind of problem');
    sendPage(reply, page);
  });

  app.get(ICON_PATH, open, (_request, reply) => {
    void reply.header('cache-control', 'public, max-age=3600').type('image/svg+xml').send(icon);
  });
  app.get(STYLE_PATH, open, (_request, reply) => {
    void reply.header('cache-control', 'public, max-age=3600').type('text/css; charset=utf-8').send(style);
  });
}
