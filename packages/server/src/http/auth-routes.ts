/**
 * Signing in and out for people: forms get pages and redirects, programs get JSON. What an administrator does with
 * accounts is in the REST API; how accounts work is in accounts/.
 */
import { permissionsOf } from '@isocenter/client';
import { isFailure } from '@isocenter/volume';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { SignedIn } from '../accounts/accounts.js';
import type { Actor } from '../accounts/actor.js';
import { clearCookie, cookieOf, SESSION_COOKIE, setCookie } from './cookies.js';
import { isForm, smallBody } from './form-body.js';
import { serveOidc } from './oidc-routes.js';
import { sendPage } from './pages/layout.js';
import { linkPage } from './pages/link-page.js';
import { refusedPage } from './pages/problem-pages.js';
import { signInPage } from './pages/sign-in-page.js';
import { problemOf } from './problem.js';
import { isSecure } from './request-call.js';

const LONGEST_NAME = 128;
const LONGEST_PASSWORD = 1024;
const LONGEST_TOKEN = 512;

const name = z.string().min(1).max(LONGEST_NAME);
const password = z.string().min(1).max(LONGEST_PASSWORD);
const signIn = z.object({ name, password });
const acceptance = z.object({ token: z.string().min(1).max(LONGEST_TOKEN), name, password });

export function serveAuth(app: FastifyInstance): void {
  const { context } = app;
  const { accounts } = context;
  const open = { config: { access: 'public' } } as const;
  const own = { config: { access: 'signed-in' } } as const;

  app.post('/auth/sign-in', open, async (request, reply) => {
    const wish = await smallBody(context, request, signIn);
    try {
      const previous = cookieOf(request, SESSION_COOKIE);
      start(request, reply, await accounts.signIn(wish.name, wish.password, request.ip, previous));
    } catch (error) {
      if (!isForm(request) || !isFailure(error)) throw error;
      sendRefused(request, reply, error, (fault) =>
        signInPage({ fault, name: wish.name, elsewhere: accounts.provider?.label }),
      );
    }
  });

  app.post('/auth/sign-out', own, async (request, reply) => {
    const token = cookieOf(request, SESSION_COOKIE);
    if (token !== undefined) await accounts.signOut(token);
    clearCookie(reply, SESSION_COOKIE, isSecure(request, context));
    if (isForm(request)) void reply.redirect('/', 303);
    else void reply.code(204).send();
  });

  app.get('/auth/me', own, async (request) => meOf(request.actor));

  app.post('/auth/accept-invite', open, async (request, reply) => {
    const wish = await smallBody(context, request, acceptance);
    try {
      start(request, reply, await accounts.acceptInvite(wish.token, wish.name, wish.password, request.ip));
    } catch (error) {
      if (!isForm(request) || !isFailure(error)) throw error;
      const link = await accounts.inspectLink(wish.token, request.ip).catch(() => undefined);
      sendRefused(request, reply, error, (fault) =>
        link === undefined
          ? refusedPage('This link is not valid', fault, 'Ask an administrator for a new one.')
          : linkPage({ token: wish.token, link, fault, name: wish.name }),
      );
    }
  });

  serveOidc(app);

  function start(request: FastifyRequest, reply: FastifyReply, signedIn: SignedIn): void {
    const { token, expiresAt, actor } = signedIn;
    setCookie(reply, SESSION_COOKIE, token, { expiresAt, secure: isSecure(request, context) });
    if (isForm(request)) void reply.redirect('/', 303);
    else void reply.code(200).send({ expiresAt: expiresAt.toISOString(), me: meOf(actor) });
  }
}

function meOf({ kind, id, name: called, role, scopes }: Actor): object {
  const permissions = permissionsOf[role].filter((permission) => scopes?.includes(permission) ?? true);
  return { kind, id, name: called, role, permissions };
}

function sendRefused(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  pageOf: (fault: string) => Parameters<typeof sendPage>[1],
): void {
  const { document, headers } = problemOf(error, request.id);
  void reply.headers(headers);
  sendPage(
    reply,
    pageOf([document.detail, document.next].filter((text) => text !== undefined).join('. ')),
    document.status,
  );
}
