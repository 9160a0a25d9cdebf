/** The table of specs/protocols.md 1.13: what upstream's own tests assert, asked of a running server over HTTP. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDicom } from '@isocenter/dicom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../../tools/test/needs.js';
import {
  entriesOf,
  errorOf,
  type InnerEyeServer,
  innereyeServer,
  PASS_THROUGH,
  threeSlices,
  zipOf,
} from './innereye.suite.js';

const EMPTY = 'text/html; charset=utf-8';
const RUN = '/v1/model/results/api_inference_1629291609_fb5dfdf9';
const START = `/v1/model/start/${PASS_THROUGH}`;

let server: InnerEyeServer;
beforeAll(async () => {
  server = await innereyeServer();
});
afterAll(() => server.close());

describe('health and ping', () => {
  it('GET / is 200 without a secret', async () => {
    expect((await server.ask('/', { secret: null })).status).toBe(200);
  });

  it('an authenticated ping is 200, empty, HTML', async () => {
    const { status, body, headers } = await server.ask('/v1/ping');
    expect([status, body.length, headers['content-type'], headers['content-length']]).toEqual([200, 0, EMPTY, '0']);
  });
});

describe.each([
  ['ping', 'GET', '/v1/ping'],
  ['start, of any model', 'POST', '/v1/model/start/whatever:1'],
  ['results, of any run', 'GET', RUN],
])('%s', (_, method, path) => {
  it('is 401 without a secret', async () => {
    const answer = await server.ask(path, { method, secret: null });
    expect(answer.status).toBe(401);
    const document = errorOf(answer);
    expect(document).toMatchObject({ code: 'UNAUTHORIZED', title: 'NoAuthenticationInformation' });
    expect(document.detail).toContain('API_AUTH_SECRET');
    expect(document).not.toHaveProperty('extra_details');
  });

  it.each(['', 'wrong'])('is 403 with the secret "%s"', async (secret) => {
    const answer = await server.ask(path, { method, secret });
    expect(answer.status).toBe(403);
    const document = errorOf(answer);
    expect(document).toMatchObject({ code: 'FORBIDDEN', title: 'AuthenticationFailed' });
    expect(document.detail).toContain('API_AUTH_SECRET');
    expect(document).not.toHaveProperty('extra_details');
  });
});

describe('start', () => {
  it('is 404 for an unknown model', async () => {
    const answer = await server.ask('/v1/model/start/Nobody:1', { method: 'POST', body: 'x' });
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({
      code: 'NOT_FOUND',
      title: 'ResourceNotFound',
      extra_details: 'InvalidModelId',
    });
  });

  it.each([PASS_THROUGH, PASS_THROUGH.replace(':', '%3A'), PASS_THROUGH.replace(':', '%3a')])(
    'is 201 for %s and an empty body, with nothing but the id of the run',
    async (model) => {
      const { status, headers, body } = await server.ask(`/v1/model/start/${model}`, { method: 'POST', body: '' });
      expect([status, headers['content-type']]).toEqual([201, 'text/plain']);
      expect(body.toString()).toMatch(/^api_inference_[0-9]{10}_[0-9a-f]{8}$/);
    },
  );

  it('takes a zip of any declared type, and none', async () => {
    for (const type of ['application/zip', 'application/x-www-form-urlencoded', 'application/json', ''])
      expect((await server.ask(START, { method: 'POST', body: 'x', headers: { 'content-type': type } })).status).toBe(
        201,
      );
  });
});

describe('results', () => {
  it('of an unknown run are 404', async () => {
    const answer = await server.ask(RUN);
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ title: 'ResourceNotFound', extra_details: 'InvalidRunId' });
  });

  it('of a bad image file, 1 KiB that is no zip, are 400 in the end', async () => {
    const noise = Buffer.from(Array.from({ length: 1024 }, (_, n) => (n * n * 31 + 7 * n + 11) & 255));
    const answer = await server.ended(await server.start(noise));
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({
      code: 'BAD_REQUEST',
      title: 'InvalidInput',
      extra_details: 'InvalidZipFile',
    });
    expect(answer.reason).toMatch(/zip/);
  });

  it('of an empty body are 400 in the end, too', async () => {
    expect(errorOf(await server.ended(await server.start(Buffer.alloc(0))))).toMatchObject({
      extra_details: 'InvalidZipFile',
    });
  });
});

/** What upstream's end-to-end test asserts of the file; `model`: as it was asked for. */
function expectContours(bytes: Uint8Array, model: string): ReturnType<typeof parseDicom> {
  const file = parseDicom(bytes);
  const { dataset } = file;
  expect(dataset.string('Modality')).toBe('RTSTRUCT');
  expect(dataset.string('Manufacturer')).toBe('Default_Manufacturer');
  expect(dataset.strings('SoftwareVersions')).toEqual([model]);
  const rois = dataset.items('StructureSetROISequence');
  expect(rois.map((roi) => roi.number('ROINumber'))).toEqual([1, 2, 3, 4, 5]);
  expect(rois.map((roi) => roi.string('ROIName'))).toEqual(['SpinalCord', 'Lung_R', 'Lung_L', 'Heart', 'Esophagus']);
  const observations = dataset.items('RTROIObservationsSequence');
  for (const each of observations) {
    expect(each.string('RTROIInterpretedType')).toBe('ORGAN');
    expect(each.string('ROIInterpreter')).toContain('Default_Interpreter');
  }
  expect(dataset.items('ROIContourSequence').map((each) => each.number('ReferencedROINumber'))).toEqual([
    1, 2, 3, 4, 5,
  ]);
  return file;
}

describeWithData('ct-rtstruct-lung1', 'end to end, with a real CT', (lung1) => {
  it('three slices: a zip of one file, and the same for every fetch', async () => {
    const runId = await server.start(await threeSlices(lung1));
    const answer = await server.ended(runId);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/zip');
    expect(answer.headers).not.toHaveProperty('content-disposition');
    const entries = await entriesOf(answer.body);
    expect(entries.map(({ name }) => name)).toEqual(['segmentation.dcm']);
    expectContours(entries[0]!.bytes, PASS_THROUGH);
    const again = await Promise.all(Array.from({ length: 8 }, () => server.ended(runId)));
    for (const other of again) expect(other.body.equals(answer.body)).toBe(true);
    // HEAD knows the length, and opens nothing: the audit log has an entry for each GET only.
    const head = await server.ask(`/v1/model/results/${runId}`, { method: 'HEAD' });
    expect([head.status, head.body.length, head.headers['content-length'], head.headers['content-type']]).toEqual([
      200,
      0,
      String(answer.body.length),
      'application/zip',
    ]);
    const fetched = await server.parts.db
      .selectFrom('audit_entry')
      .select('seq')
      .where('action', '=', 'result.fetched')
      .execute();
    expect(fetched).toHaveLength(1 + again.length);
    const { id } = (await server.parts.db
      .selectFrom('job')
      .select('id')
      .where('external_id', '=', runId)
      .executeTakeFirst())!;
    const file = (await server.client('administrator').jobs.get({ job: id })).files.find(({ name }) =>
      name.endsWith('.zip'),
    );
    expect(file?.bytes).toBe(answer.body.length);
  });

  it('the whole of LUNG1-001, to a model named by a number of another workspace', async () => {
    const zip = await readFile(join(lung1, 'LUNG1-001_CT_dicom.zip'));
    const answer = await server.ended(await server.start(zip, 'PassThroughModel:4'));
    const [entry] = await entriesOf(answer.body);
    const { dataset } = expectContours(entry!.bytes, 'PassThroughModel:4');
    const contours = dataset.items('ROIContourSequence').map((each) => each.items('ContourSequence').length);
    for (const count of contours) expect(count).toBeGreaterThanOrEqual(134);
  });

  it('files in nested folders, among others that are no images', async () => {
    const slices = await entriesOf(await threeSlices(lung1));
    const nested = slices.map(({ bytes }, n) => ({ name: `a/${'b/'.repeat(n)}${n}`, bytes }));
    const letter = { name: 'letter.txt', bytes: Buffer.from('Dear colleague') };
    expect((await server.ended(await server.start(await zipOf([letter, ...nested])))).status).toBe(200);
  });

  it('files of one name in two folders are refused, as upstream refused them', async () => {
    const slices = await entriesOf(await threeSlices(lung1));
    const answer = await server.ended(
      await server.start(await zipOf(slices.map(({ bytes }, n) => ({ name: `${n % 2}/${n >> 1}`, bytes })))),
    );
    expect(answer.status).toBe(500);
    const document = errorOf(answer);
    expect(document).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', title: 'InternalError' });
    expect(document.detail).toMatch(/^Zip file contains duplicates/);
    expect(document).not.toHaveProperty('extra_details');
  });
});
