/** Each cell of the table of routes × roles, asked of a running server. */
import { randomUUID } from 'node:crypto';
import { api, type Operation } from '@isocenter/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCurrent } from '../../../../tools/test/current-page.js';
import { PASSWORD } from '../accounts/accounts.suite.js';
import { SYSTEM } from '../accounts/actor.js';
import { SESSION_COOKIE } from '../http/cookies.js';
import { type RestServer, restServer } from './rest-server.suite.js';
import { type Caller, callers, isAllowed, rolesPage, shownRoutes } from './roles-page.js';

let server: RestServer;

/** People sign in, services have a key: some things only people may do, such as making keys. */
const people = ['administrator', 'data-scientist', 'clinician'] as const;
const sessions = new Map<string, string>();

beforeAll(async () => {
  server = await restServer();
  const { accounts } = server.parts;
  for (const [n, role] of people.entries()) {
    const { token } = await accounts.invite(role, SYSTEM);
    sessions.set(role, (await accounts.acceptInvite(token, role, PASSWORD, `10.9.0.${n}`)).token);
  }
});
afterAll(() => server.close());

test('every operation of the API is a route with the permission that it names', () => {
  const routes = new Map(server.app.routesTable.map((route) => [`${route.method} ${route.path}`, route.permission]));
  const operations = Object.values(api).flatMap((area) => Object.values(area) as Operation[]);
  expect(operations.length).toBeGreaterThan(60);
  for (const { method, path, permission } of operations) expect(routes.get(`${method} ${path}`), path).toBe(permission);
});

describe('a request by each role to each route', () => {
  test('is let in where the table has a mark, is 401 for nobody and 403 for the others where it has none', async () => {
    const routes = shownRoutes(server.app.routesTable);
    const wrong: string[] = [];
    let asked = 0;
    for (const route of routes) {
      // Ids that are nobody's: who is let in is told 404 or what is missing, and nothing is changed.
      const path = route.path.replace(/:[A-Za-z]+/g, () => randomUUID()).replace('*', 'x');
      for (const caller of callers) {
        const answer = await ask(caller, route.method, path);
        await answer.body?.cancel();
        asked++;
        const refused = answer.status === 401 || answer.status === 403;
        const right = isAllowed(route, caller)
          ? !refused || isOwnRefusal(route.path)
          : answer.status === (caller === 'nobody' ? 401 : 403);
        if (!right) wrong.push(`${caller} ${route.method} ${route.path}: ${answer.status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBe(routes.length * callers.length);
  });
});

/** Signing out ends a session of its own, not that of the next questions. */
const ENDS_SESSION = new Set(['/isocenter/v1/sessions/current', '/auth/sign-out']);

async function ask(caller: Caller, method: string, path: string): Promise<Response> {
  if (!sessions.has(caller))
    return server.request(caller === 'nobody' ? undefined : caller, method, path, { redirect: 'manual' });
  const token =
    method !== 'GET' && ENDS_SESSION.has(path)
      ? (await server.parts.accounts.signIn(caller, PASSWORD, '10.9.1.1')).token
      : sessions.get(caller);
  const headers = { cookie: `${SESSION_COOKIE}=${token}`, 'sec-fetch-site': 'same-origin' };
  return fetch(`${server.url}${path}`, { method, headers, redirect: 'manual' });
}

/** Passing the route's door is not enough: without a token that was given out nobody gets further here. */
function isOwnRefusal(path: string): boolean {
  return path === '/auth/callback';
}

test('docs/reference/roles.md is the table that was tested', () => {
  expectCurrent('docs/reference/roles.md', rolesPage(server.app.routesTable));
});
