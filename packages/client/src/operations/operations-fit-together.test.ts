/** What the client relies on when it puts a request together from one object of fields. */
import { expect, test } from 'vitest';
import { fieldsOf } from '../client/request.js';
import type { Operation } from '../operation.js';
import { permissions, permissionsOf } from '../permissions.js';
import { api } from './all.js';

const operations = Object.entries(api).flatMap(([area, its]) =>
  Object.entries(its as Record<string, Operation>).map(([name, operation]) => ({ name: `${area}.${name}`, operation })),
);

test('path, query and body of an operation have no field in common, and none is called body where bytes are sent', () => {
  for (const { name, operation } of operations) {
    const { params, query, body } = operation;
    const bytes = body !== undefined && 'kind' in body;
    const fields = [...fieldsOf(params), ...fieldsOf(query), ...(bytes ? ['body'] : fieldsOf(body as never))];
    expect(new Set(fields).size, name).toBe(fields.length);
  }
});

test('every parameter of a path has a schema, and every schema a parameter', () => {
  for (const { name, operation } of operations) {
    const named = [...operation.path.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter);
    expect([...fieldsOf(operation.params)].sort(), name).toEqual(named.sort());
  }
});

test('no two operations have the same method and path', () => {
  const addresses = operations.map(({ operation }) => `${operation.method} ${operation.path}`);
  expect(new Set(addresses).size).toBe(addresses.length);
});

test('reading changes nothing: a GET has no body, and only GET gives bytes or events', () => {
  for (const { name, operation } of operations) {
    if (operation.method === 'GET') expect(operation.body, name).toBeUndefined();
    else expect(operation.answer && 'kind' in operation.answer, name).toBeFalsy();
  }
});

test('every permission is held by a role and asked for by a route, or read inside of one', () => {
  const asked = new Set(operations.map(({ operation }) => operation.permission));
  /** Widen what a route shows or takes, and are no route's own. */
  const inside = new Set(['jobs.read-all', 'jobs.manage-all', 'keys.manage']);
  for (const permission of permissions) {
    expect(asked.has(permission) || inside.has(permission), permission).toBe(true);
    expect(Object.values(permissionsOf).some((held) => held.includes(permission))).toBe(true);
  }
});
