/** People, sessions, invitations and keys. */
import { api, permissions } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import type { KeyInfo, OneTimeLink, SessionInfo, SignedIn, User } from '../accounts/accounts.js';
import { type Actor, may } from '../accounts/actor.js';
import type { CallSession } from '../http/call.js';
import { implement } from '../http/implement.js';
import type { Services } from '../services/services.js';
import { notFound } from './rest-error.js';

export function accountRoutes(app: FastifyInstance, { accounts }: Pick<Services, 'accounts'>): void {
  implement(app, api.sessions.signIn, async ({ body, address, session }) =>
    begin(session, await accounts.signIn(body.name, body.password, address, session.token)),
  );

  implement(app, api.sessions.signOut, async ({ session }) => {
    if (session.token !== undefined) await accounts.signOut(session.token);
    session.end();
    return undefined;
  });

  implement(app, api.sessions.list, async ({ actor }) => ({
    items: (await accounts.sessions.list(actor)).map(sessionView),
  }));

  implement(app, api.sessions.revoke, async ({ actor, params }) => {
    await accounts.sessions.revoke(params.session, actor);
    return undefined;
  });

  implement(app, api.sessions.me, async ({ actor }) => meView(actor));

  implement(app, api.sessions.changePassword, async ({ actor, body, address, session }) =>
    begin(session, await accounts.changePassword(actor, body.current, body.wanted, address)),
  );

  implement(app, api.invites.status, async () => ({ needsSetup: await accounts.needsSetup() }));

  implement(app, api.invites.create, async ({ actor, body }) =>
    linkView(await accounts.invite(body.role, actor, body.name)),
  );

  implement(app, api.invites.inspect, async ({ body, address }) => {
    const { purpose, role, name, expiresAt } = await accounts.inspectLink(body.token, address);
    return { purpose, role, ...(name === undefined ? {} : { name }), expiresAt: expiresAt.toISOString() };
  });

  implement(app, api.invites.accept, async ({ body, address, session }) =>
    begin(session, await accounts.acceptInvite(body.token, body.name, body.password, address)),
  );

  implement(app, api.users.list, async ({ actor }) => ({ items: (await accounts.users.list(actor)).map(userView) }));

  implement(app, api.users.get, async ({ actor, params }) => {
    const user = (await accounts.users.list(actor)).find(({ id }) => id === params.user);
    if (!user) throw notFound('user');
    return userView(user);
  });

  implement(app, api.users.update, async ({ actor, params, body }) => {
    const { reason, ...changes } = body;
    return userView(await accounts.users.update(params.user, changes, actor, reason));
  });

  implement(app, api.users.unlock, async ({ actor, params }) => {
    await accounts.users.unlock(params.user, actor);
    return undefined;
  });

  implement(app, api.users.resetLink, async ({ actor, params }) =>
    linkView(await accounts.users.resetLink(params.user, actor)),
  );

  implement(app, api.users.remove, async ({ actor, params, query }) => {
    await accounts.users.remove(params.user, actor, query.reason);
    return undefined;
  });

  implement(app, api.keys.create, async ({ actor, body }) => {
    const { expiresAt, ...wish } = body;
    return accounts.createKey(
      { ...wish, ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }) },
      actor,
    );
  });

  implement(app, api.keys.list, async ({ actor }) => ({ items: (await accounts.keys.list(actor)).map(keyView) }));

  implement(app, api.keys.revoke, async ({ actor, params }) => {
    await accounts.keys.revoke(params.key, actor);
    return undefined;
  });
}

/** Sets the cookie; the token itself never stands in an answer. */
function begin(session: CallSession, { token, expiresAt, actor }: SignedIn) {
  session.start(token, expiresAt);
  return { expiresAt: expiresAt.toISOString(), me: meView(actor) };
}

function meView(actor: Actor) {
  const { kind, id, name, role } = actor;
  return { kind, id, name, role, permissions: permissions.filter((permission) => may(actor, permission)) };
}

function linkView({ token, expiresAt }: OneTimeLink) {
  return { token, expiresAt: expiresAt.toISOString() };
}

function sessionView({ createdAt, lastSeenAt, expiresAt, ...rest }: SessionInfo) {
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}

function userView({ createdAt, lastSignInAt, ...rest }: User) {
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    ...(lastSignInAt === undefined ? {} : { lastSignInAt: lastSignInAt.toISOString() }),
  };
}

function keyView({ scopes, createdAt, expiresAt, lastUsedAt, revokedAt, ...rest }: KeyInfo) {
  return {
    ...rest,
    ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    createdAt: createdAt.toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: lastUsedAt.toISOString() }),
    ...(revokedAt === undefined ? {} : { revokedAt: revokedAt.toISOString() }),
  };
}
