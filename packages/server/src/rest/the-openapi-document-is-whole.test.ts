/** The OpenAPI document that is served: its structure (OAS 3.1), every operation, every reference; and the copy in docs/. */
import { api, type Operation } from '@isocenter/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectCurrent } from '../../../../tools/test/current-page.js';
import { type RestServer, restServer } from './rest-server.suite.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: unknown;
}

interface Described {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly 'x-permission': string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly $ref?: string }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly securitySchemes: object; readonly schemas: object };
}

let server: RestServer;
let document: Document;
const operations = Object.values(api).flatMap((area) => Object.values(area) as Operation[]);

beforeAll(async () => {
  server = await restServer({ slots: 0 });
  document = (await (await server.request(undefined, 'GET', '/isocenter/v1/openapi.json')).json()) as Document;
});
afterAll(() => server.close());

test('it is an OpenAPI 3.1 document with every operation, named once', () => {
  expect(document.openapi).toMatch(/^3\.1\.\d+$/);
  expect(document.info.title).toBe('Isocenter');
  const ids = new Set<string>();
  for (const { method, path, permission, tag, summary, status, answer } of operations) {
    const described = document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
    expect(described, `${method} ${path}`).toBeDefined();
    if (!described) continue;
    expect(described).toMatchObject({ summary, tags: [tag], 'x-permission': permission });
    ids.add(described.operationId);
    const success = String(status ?? (answer === undefined ? 204 : 200));
    expect(Object.keys(described.responses)).toContain(success);
    for (const response of Object.values(described.responses))
      expect(response.description ?? response.$ref, path).toBeTruthy();
  }
  expect(ids.size).toBe(operations.length);
});

test('each parameter of a path is described there, and no other', () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
    for (const [method, { parameters }] of Object.entries(methods)) {
      const described = parameters.filter((parameter) => parameter.in === 'path');
      expect(described.map(({ name }) => name).sort(), `${method} ${path}`).toEqual(names);
      expect(described.every(({ required }) => required)).toBe(true);
      for (const { name, schema } of parameters) expect(schema, `${method} ${path} ${name}`).toBeTypeOf('object');
    }
  }
});

test('every reference points to something', () => {
  const missing: string[] = [];
  const walk = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$ref' && typeof inner === 'string' && !resolves(inner)) missing.push(inner);
      walk(inner);
    }
  };
  walk(document);
  expect(missing).toEqual([]);
});

function resolves(reference: string): boolean {
  let here: unknown = document;
  for (const part of reference.replace(/^#\//, '').split('/'))
    here = here === null || typeof here !== 'object' ? undefined : (here as Record<string, unknown>)[part];
  return here !== undefined;
}

test('docs/reference/openapi.json is the same document', () => {
  expectCurrent('docs/reference/openapi.json', `${JSON.stringify(document, undefined, 2)}\n`);
});
