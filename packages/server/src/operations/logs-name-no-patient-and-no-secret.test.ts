import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operation } from '@isocenter/client';
import { Failure } from '@isocenter/volume';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createApp } from '../http/app.js';
import { serveAuth } from '../http/auth-routes.js';
import { ADMIN_KEY, fakeContext, SESSION } from '../http/fake-context.suite.js';
import { implement } from '../http/implement.js';
import { createLog } from './log.js';

function collected(format: 'json' | 'text') {
  const lines: string[] = [];
  const { log } = createLog({ level: 'debug', format, to: { write: (line) => void lines.push(line) } });
  return { log, lines };
}

describe('the log', () => {
  it('strikes out secrets and tells errors without their messages', () => {
    const { log, lines } = collected('json');
    class BlobError extends Failure<'no-space'> {}
    const cause = new Error('DOE^JOHN');
    log.error(
      {
        password: 'p1',
        headers: { authorization: 'p2', host: 'x' },
        error: new BlobError('no-space', 'DOE^JANE', { cause }),
      },
      'failed',
    );
    const [line = ''] = lines;
    expect(line).not.toMatch(/p1|p2|DOE/);
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      msg: 'failed',
      headers: { host: 'x' },
      error: { name: 'BlobError', kind: 'no-space', cause: { name: 'Error' } },
    });
    expect(JSON.parse(line).error.frames[0]).toContain('logs-name-no-patient');
  });

  it('does not change what it was given', () => {
    const { log } = collected('json');
    const fields = { inner: { token: 'x' } };
    log.info(fields, 'x');
    expect(fields.inner.token).toBe('x');
  });

  it('is one readable line for people, whatever a field holds', () => {
    const { log, lines } = collected('text');
    log.warn({ requestId: 'r', route: '/a\u001b[2J\nfake line', status: 404 }, 'request');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d WARN {2}request route=.* status=404\n$/);
    expect(lines[0]!.trimEnd().split('')).not.toContain('\u001b');
    expect(lines[0]!.match(/\n/g)).toHaveLength(1);
  });

  it('is appended to a file, and complete after flush', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-log-'));
    const file = join(folder, 'deep', 'server.log');
    const { log, flush } = createLog({ level: 'info', format: 'auto', file });
    for (let i = 0; i < 100; i += 1) log.info({ i }, 'line');
    await vi.waitFor(() => {
      flush();
      expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(100);
    });
    rmSync(folder, { recursive: true });
  });

  it('of requests holds route, status and who, and no planted name or secret', async () => {
    const { log, lines } = collected('json');
    const app = createApp({ ...fakeContext(), log });
    serveAuth(app);
    implement(
      app,
      operation({
        method: 'POST',
        path: '/isocenter/v1/patients/:name',
        summary: 'x',
        tag: 'x',
        permission: 'jobs.create',
        params: z.object({ name: z.string() }),
        query: z.object({ q: z.string().optional() }),
        body: z.object({ name: z.string().max(20) }),
      }),
      async ({ body }) => {
        throw new Error(`cannot work with ${body.name}`);
      },
    );
    const answers = [
      await app.inject({
        method: 'POST',
        url: '/isocenter/v1/patients/PLANTED1?q=PLANTED2',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'user-agent': 'PLANTED3', referer: 'http://x/PLANTED4' },
        payload: { name: 'PLANTED5' },
      }),
      await app.inject({
        method: 'POST',
        url: '/isocenter/v1/patients/PLANTED1',
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
        payload: { name: 'PLANTED5 and much more than fits', PLANTED6: 1 },
      }),
      await app.inject({
        method: 'POST',
        url: '/isocenter/v1/patients/PLANTED1',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
        payload: '{"PLANTED7": PLANTED8',
      }),
      await app.inject({ url: '/PLANTED1/%zz' }),
      await app.inject({ method: 'POST', url: '/auth/sign-in', payload: { name: 'PLANTED9', password: 'PLANTED10' } }),
      await app.inject({ url: '/auth/me', headers: { cookie: `isocenter_session=${SESSION}` } }),
    ];
    await app.close();
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([500, 400, 400, 400, 401, 200]);
    expect(lines.length).toBeGreaterThanOrEqual(answers.length);
    for (const text of [...lines, ...answers.map(({ body }) => body)])
      expect(text).not.toMatch(new RegExp(`PLANTED|${ADMIN_KEY}|${SESSION}`));
    const first = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'request');
    expect(first).toMatchObject({ route: '/isocenter/v1/patients/:name', status: 500, actor: 'a1', method: 'POST' });
    expect(answers[0]!.headers['x-request-id']).toBe(first.requestId);
  });
});
