/** docs/reference/roles.md as text: every route with the roles that may call it, from the routes as they are registered. */
import { type Permission, permissions, permissionsOf, roles } from '@isocenter/client';
import type { RouteEntry } from '../http/access.js';

export type Caller = (typeof roles)[number] | 'nobody';

export const callers: readonly Caller[] = ['nobody', ...roles];

/** HEAD is GET without the bytes: it has no line of its own. */
export function shownRoutes(routes: readonly RouteEntry[]): readonly RouteEntry[] {
  return routes
    .filter(({ method }) => method !== 'HEAD')
    .toSorted((a, b) => compare(a.path, b.path) || compare(a.method, b.method));
}

/** What the table says of one cell; the test asks the server the same. */
export function isAllowed({ permission }: Pick<RouteEntry, 'permission'>, caller: Caller): boolean {
  if (permission === 'public') return true;
  if (caller === 'nobody') return false;
  return permission === 'signed-in' || permissionsOf[caller].includes(permission);
}

export function rolesPage(routes: readonly RouteEntry[]): string {
  const rows = shownRoutes(routes).map((route) => {
    const cells = callers.map((caller) => (isAllowed(route, caller) ? '✓' : ''));
    return `| ${route.method} \`${route.path}\` | ${route.permission} | ${cells.join(' | ')} |`;
  });
  const held = permissions.map((permission: Permission) => {
    const cells = roles.map((role) => (permissionsOf[role].includes(permission) ? '✓' : ''));
    return `| ${permission} | ${cells.join(' | ')} |`;
  });
  return `# Roles and routes

Made from the routes as they are registered; \`every-route-and-role-is-decided.test.ts\` asks a running server about each cell and
fails when this page is out of date. "Nobody" is a request without session and key: it gets 401 where there is no mark, the
others get 403. What belongs to somebody else is answered with 404, so that ids cannot be probed.

Old protocols that have no login are open to the networks that the administrator names, and to nobody else; they are not
part of this table.

| route | permission | ${callers.join(' | ')} |
|---|---|${callers.map(() => ':-:').join('|')}|
${rows.join('\n')}

## What each role holds

An API key has the permissions of its role, or fewer when it was made with scopes.

| permission | ${roles.join(' | ')} |
|---|${roles.map(() => ':-:').join('|')}|
${held.join('\n')}
`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
