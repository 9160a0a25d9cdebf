import { execFileSync } from 'node:child_process';
import { api, binary, events, type Operation, operation } from '@isocenter/client';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApp } from './app.js';
import { fakeContext } from './fake-context.suite.js';
import { implement } from './implement.js';
import { openApiDocument } from './openapi.js';
import { serveOpenApi } from './openapi-route.js';

const all = Object.values(api).flatMap((group) => Object.values(group)) as readonly Operation[];

function references(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  );
}

function at(document: unknown, reference: string): unknown {
  return reference
    .slice('#/'.length)
    .split('/')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
}

describe('the OpenAPI document', () => {
  const document = openApiDocument(all, '1.2.3') as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>>;
  };

  it('has every operation, with its permission and no name twice', () => {
    const described = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(described).toHaveLength(all.length);
    expect(new Set(described.map(({ operationId }) => operationId)).size).toBe(all.length);
    expect(described.map((one) => one['x-permission']).sort()).toEqual(all.map(({ permission }) => permission).sort());
  });

  it('declares every parameter of every path', () => {
    for (const [path, methods] of Object.entries(document.paths))
      for (const described of Object.values(methods)) {
        const declared = (described.parameters as { in: string; name: string }[])
          .filter((parameter) => parameter.in === 'path')
          .map(({ name }) => name);
        expect(declared, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      }
  });

  it('has no reference that leads nowhere', () => {
    for (const reference of references(document)) expect(at(document, reference), reference).toBeDefined();
  });

  it('describes bytes, events, shared schemas and refusals', () => {
    const part = z.object({ when: z.date() }).meta({ id: 'Part' });
    const described = openApiDocument(
      [
        operation({
          method: 'POST',
          path: '/isocenter/v1/parts/:part',
          summary: 'x',
          tag: 'x',
          permission: 'public',
          params: z.object({ part: z.string() }),
          body: binary('application/zip'),
          answer: events(part),
        }) as unknown as Operation,
      ],
      '1',
    );
    const post = at(described, '#/paths') as Record<string, { post: Record<string, unknown> }>;
    expect(post['/isocenter/v1/parts/{part}']!.post).toMatchObject({
      security: [],
      requestBody: { content: { 'application/zip': {} } },
      responses: {
        200: {
          content: { 'text/event-stream': {} },
          'x-event': { $ref: expect.stringContaining('#/components/schemas/') },
        },
        default: { $ref: '#/components/responses/Problem' },
      },
    });
    for (const reference of references(described)) expect(at(described, reference), reference).toBeDefined();
  });

  it('is served for what this port implements', async () => {
    const app = createApp(fakeContext());
    implement(app, api.jobs.get, async () => {
      throw new Error('not called');
    });
    serveOpenApi(app);
    const answer = await app.inject({ url: '/isocenter/v1/openapi.json' });
    expect(Object.keys(answer.json().paths)).toEqual(['/isocenter/v1/jobs/{job}']);
    await app.close();
  });

  it('is valid OpenAPI 3.1 in the eyes of openapi-spec-validator, where that is installed', (context) => {
    try {
      execFileSync('python3', ['-c', 'import openapi_spec_validator'], { stdio: 'ignore' });
    } catch {
      context.skip('python3 has no openapi-spec-validator');
    }
    const check = 'import json, sys; from openapi_spec_validator import validate; validate(json.load(sys.stdin))';
    execFileSync('python3', ['-c', check], { input: JSON.stringify(document), stdio: ['pipe', 'ignore', 'pipe'] });
  });
});
