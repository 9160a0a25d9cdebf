import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { BlobError } from '../../blobs/blob-error.js';
import { HttpError } from '../../http/http-error.js';
import { problemOf } from '../../http/problem.js';
import type { Job } from '../../jobs/job.js';
import { errorAnswer, refuse, runError } from './errors.js';
import { InnerEyeError } from './innereye-error.js';
import { newRunId } from './messages.js';
import { secretOf } from './secret.js';

const requestWith = (...rawHeaders: string[]) => ({ raw: { rawHeaders } }) as unknown as FastifyRequest;
const textOf = (error: unknown, ...rawHeaders: string[]) => {
  const { body, reason } = refuse(problemOf(error, 'r').document, requestWith(...rawHeaders));
  return { text: Buffer.from(body as Uint8Array).toString(), reason };
};

describe('errors', () => {
  it('are one line of JSON, to the letter', () => {
    expect(textOf(new HttpError('unauthenticated', 'x')).text).toBe(
      '{"code":"UNAUTHORIZED","detail":"The header API_AUTH_SECRET is missing","status":401,"title":"NoAuthenticationInformation"}\n',
    );
    expect(textOf(new InnerEyeError('unknown-run', 'No such run')).text).toBe(
      '{"code":"NOT_FOUND","detail":"No such run.","extra_details":"InvalidRunId","status":404,"title":"ResourceNotFound"}\n',
    );
  });

  it.each<[unknown, number, string, string]>([
    [new HttpError('too-large', 'a'), 413, 'REQUEST_ENTITY_TOO_LARGE', 'InvalidInput'],
    [new HttpError('too-many-uploads', 'a'), 503, 'SERVICE_UNAVAILABLE', 'InternalError'],
    [new BlobError('no-space', 'a'), 507, 'INSUFFICIENT_STORAGE', 'InternalError'],
    [new BlobError('store-unavailable', 'a'), 503, 'SERVICE_UNAVAILABLE', 'InternalError'],
    [new InnerEyeError('model-not-usable', 'a'), 500, 'INTERNAL_SERVER_ERROR', 'InternalError'],
    [new HttpError('forbidden', 'a'), 403, 'FORBIDDEN', 'AuthenticationFailed'],
    [new TypeError('secret of ours'), 500, 'INTERNAL_SERVER_ERROR', 'InternalError'],
  ])('%s', (error, status, code, title) => {
    const { text } = textOf(error, 'API_AUTH_SECRET', 'x');
    expect(JSON.parse(text)).toMatchObject({ status, code, title });
    expect(text).not.toContain('secret of ours');
    expect(JSON.parse(text)).not.toHaveProperty('extra_details');
  });

  it('have a reason that a status line can hold', () => {
    const { reason } = errorAnswer(500, `Größe\r\nSet-Cookie: x ${'y'.repeat(500)}`);
    expect(reason).toMatch(/^[\x20-\x7e]{1,160}$/);
  });

  it('of a run tell a bad zip, a cancelled run and the rest', () => {
    const of = (job: Pick<Job, 'state' | 'failure'>) =>
      JSON.parse(Buffer.from(runError(job).body as Uint8Array).toString());
    const failed = (kind: string) => of({ state: 'failed', failure: { kind, message: 'why' } });
    expect(failed('bad-archive')).toMatchObject({ status: 400, extra_details: 'InvalidZipFile' });
    // A cut DICOM file has this kind as well.
    expect(failed('truncated')).toMatchObject({ status: 500, title: 'InternalError', detail: 'why.' });
    expect(of({ state: 'cancelled' })).toMatchObject({ status: 500, extra_details: 'RunCancelled' });
    expect(of({ state: 'failed' })).not.toHaveProperty('extra_details');
  });
});

describe('run ids', () => {
  const at = new Date(1629291609_999);
  it.each([
    [undefined, 'api_inference'],
    ['', 'api_inference'],
    ['clinic', 'clinic'],
    ['St. Mary / 2', 'St_Mary_2'],
    ['../../x', '_x'],
    ['é', '_'],
  ])('of the experiment %s', (experiment, name) => {
    const id = newRunId(experiment, at);
    expect(id).toMatch(/^[A-Za-z0-9_-]+_[0-9]{10}_[0-9a-f]{8}$/);
    expect(id.startsWith(`${name}_1629291609_`)).toBe(true);
  });

  it('of one second differ', () => {
    expect(new Set(Array.from({ length: 1000 }, () => newRunId('x', at))).size).toBe(1000);
  });
});

describe('the secret of a request', () => {
  it.each<[string[], string | undefined]>([
    [[], undefined],
    [['Host', 'x'], undefined],
    [['API_AUTH_SECRET', 'a'], 'a'],
    [['api-auth-secret', 'a'], 'a'],
    [['API_AUTH_SECRET', ''], ''],
    [['API_AUTH_SECRET', 'a', 'API-AUTH-SECRET', 'a'], ''],
    // UTF-8 as Node gives it, and Latin-1.
    [['API_AUTH_SECRET', 'gr\u00c3\u00bcn'], 'grün'],
    [['API_AUTH_SECRET', 'gr\u00fcn'], 'grün'],
  ])('%j', (rawHeaders, secret) => {
    expect(secretOf(requestWith(...rawHeaders))).toBe(secret);
  });
});
