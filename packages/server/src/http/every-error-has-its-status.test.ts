import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { HttpError } from './http-error.js';
import { problemOf } from './problem.js';
import { problemTable, titles } from './problem-table.js';

const packages = fileURLToPath(new URL('../../..', import.meta.url));

/** What carries another class's name, and what ends a process before or beside all requests. */
const NOT_OF_REQUESTS = new Set(['ForwardedFailure', 'AddressFileError', 'WorkerError']);

function sources(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/\.(test|suite)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Class and closed union of kinds of every Failure in the packages that requests reach. */
function failures(): readonly { readonly name: string; readonly kinds: readonly string[] }[] {
  return ['volume', 'formats', 'dicom', 'engine', 'server'].flatMap((name) =>
    sources(join(packages, name, 'src')).flatMap((file) => {
      const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      return [...text.matchAll(/class (\w+) extends Failure<([^>]+)>/g)].map(([, className = '', type = '']) => {
        const union = new RegExp(`type ${type.trim()} =([^;]*);`).exec(text)?.[1] ?? type;
        return { name: className, kinds: [...union.matchAll(/'([a-z0-9-]+)'/g)].map(([, kind = '']) => kind) };
      });
    }),
  );
}

describe('the table of problems', () => {
  it('knows every class of Failure that a request can meet', () => {
    const names = failures().map(({ name }) => name);
    expect(names.length).toBeGreaterThan(20);
    const missing = names.filter((name) => !NOT_OF_REQUESTS.has(name) && !Object.hasOwn(problemTable, name));
    expect(missing).toEqual([]);
  });

  it('names no kind that its class does not have', () => {
    const known = new Map<string, Set<string>>();
    for (const { name, kinds } of failures()) known.set(name, new Set([...(known.get(name) ?? []), ...kinds]));
    const made = Object.entries(problemTable).flatMap(([name, { kinds }]) =>
      Object.keys(kinds ?? {})
        .filter((kind) => known.get(name)?.has(kind) !== true)
        .map((kind) => `${name} ${kind}`),
    );
    expect(made).toEqual([]);
  });

  it('has a title for every status, and a time to wait for every 503 and 429', () => {
    for (const [name, { kinds, ...rule }] of Object.entries(problemTable))
      for (const { status, retryAfterSeconds } of [rule, ...Object.values(kinds ?? {})]) {
        expect(titles[status], `${name} ${status}`).toBeDefined();
        if (status === 429) expect(retryAfterSeconds, name).toBeGreaterThan(0);
      }
  });
});

describe('a problem document', () => {
  it('tells a Failure, and how long to wait if the error knows better than the table', () => {
    class BlobError extends Failure<'no-space'> {}
    expect(problemOf(new BlobError('no-space', 'The disk is full', { next: 'Free some.' }), 'r1').document).toEqual({
      type: '/problems/blobs/no-space',
      title: titles[507],
      status: 507,
      detail: 'The disk is full',
      instance: 'r1',
      requestId: 'r1',
      kind: 'no-space',
      next: 'Free some.',
    });
    const busy = problemOf(new HttpError('too-many-uploads', 'Full', { retryAfterSeconds: 7.2 }), 'r1');
    expect(busy.headers).toEqual({ 'retry-after': '8' });
  });

  it('knows an error that was forwarded from a child process by its name', () => {
    const forwarded = new HttpError('bad-request', 'x');
    forwarded.name = 'ArchiveError';
    expect(problemOf(forwarded, 'r1').document).toMatchObject({ status: 422, type: '/problems/archive/bad-request' });
  });

  it('hides whatever is no Failure, is of an unknown class, or is our own fault', () => {
    class StrangeError extends Failure<'x'> {}
    class StateError extends Failure<'bad-backup'> {}
    for (const error of [
      new Error('/home/secret'),
      'text',
      undefined,
      null,
      new StrangeError('x', '/home/secret'),
      new StateError('bad-backup', '/home/secret'),
      Object.assign(new Error('secret'), { statusCode: 200, kind: 'x' }),
    ]) {
      const { document, defect } = problemOf(error, 'r1');
      expect(document.status).toBe(500);
      expect(JSON.stringify(document)).not.toContain('secret');
      expect(defect).toBe(true);
    }
  });
});
