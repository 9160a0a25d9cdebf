/** The main way with the typed client against the whole server: a study in, events, files and formats out. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePhantom } from '@isocenter/engine';
import { openSources, writeZip } from '@isocenter/formats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signNetwork } from '../registry/onnx/onnx-files.suite.js';
import { ended, type RestServer, restServer } from './rest-server.suite.js';

let server: RestServer;
let study: Buffer<ArrayBuffer>;

beforeAll(async () => {
  server = await restServer();
  const { files } = await makePhantom({ kind: 'thorax', size: [64, 64, 12], spacing: [7.2, 7.2, 24] });
  study = Buffer.from(await writeZip(files));
});
afterAll(() => server.close());

test('a zip is posted, watched, and its contours are fetched', async () => {
  const client = server.client('service');
  const job = await client.jobs.create({ model: 'ct-basic', formats: ['rtstruct'], body: study });
  expect(job).toMatchObject({ kind: 'segment', state: 'queued', protocol: 'rest' });
  expect(job.model).toMatch(/^ct-basic:/);
  const states: string[] = [];
  for await (const event of client.jobs.events({ job: job.id })) states.push(event.state);
  expect(states.at(-1)).toBe('succeeded');
  const done = await client.jobs.get({ job: job.id });
  expect(done.report?.exact).toBe(true);
  expect(done.report?.structures?.map(({ name }) => name)).toEqual(['Body', 'Lung_L', 'Lung_R', 'Bone']);
  const contours = await client.results.download({ job: job.id, format: 'rtstruct' });
  expect(contours.mediaType).toBe('application/dicom');
  const bytes = await contours.read();
  expect(Buffer.from(bytes.subarray(128, 132)).toString()).toBe('DICM');
  expect(bytes.length).toBe(contours.bytes);
});

test('formats that need no images are made afterwards, the others say how to get them', async () => {
  const client = server.client('service');
  const { id } = await client.jobs.create({ model: 'ct-basic', formats: ['png'], body: study });
  await ended(client, id);
  const { formats, laterFormats } = await client.results.files({ job: id });
  expect(formats.sort()).toEqual(['nifti', 'png']);
  expect(laterFormats).toEqual(['nifti', 'nrrd', 'csv']);
  const nrrd = await (await client.results.download({ job: id, format: 'nrrd' })).read();
  expect(Buffer.from(nrrd.subarray(0, 4)).toString()).toBe('NRRD');
  expect(Buffer.from(nrrd).toString('latin1')).toMatch(/Segment1_Name:=Lung_L/);
  const csv = Buffer.from(await (await client.results.download({ job: id, format: 'csv' })).read()).toString();
  expect(csv.split('\r\n')[0]).toBe('structure,label,layer,voxels,volume_ml,contours,mean_HU,proof');
  expect(csv).toMatch(/^Lung_L,/m);
  await expect(client.results.download({ job: id, format: 'rtstruct' })).rejects.toMatchObject({
    status: 409,
    kind: 'needs-images',
    next: 'Send the study again with formats=rtstruct.',
  });
});

test('without a wish for formats come those of the command line, and the label map', async () => {
  const client = server.client('service');
  const { id } = await client.jobs.create({ model: 'ct-basic', body: study });
  await ended(client, id);
  const { formats } = await client.results.files({ job: id });
  expect(formats.sort()).toEqual(['csv', 'nifti', 'png', 'rtstruct', 'seg']);
});

test('all files come as one zip of a length that is known before, and any range of it', async () => {
  const client = server.client('service');
  const { id } = await client.jobs.create({ model: 'ct-basic', formats: ['rtstruct', 'csv'], body: study });
  await ended(client, id);
  const all = await client.results.download({ job: id });
  const zip = await all.read();
  expect(zip.length).toBe(all.bytes);
  const opened = await openSources(Buffer.from(zip));
  const { items } = await client.results.files({ job: id });
  expect(opened.sources.map(({ name }) => name.split('/').at(-1)).sort()).toEqual(items.map(({ name }) => name).sort());
  await opened.close();
  const part = await client.results.download({ job: id }, { range: { first: 1000, last: 3999 } });
  expect(Buffer.from(await part.read())).toEqual(Buffer.from(zip.subarray(1000, 4000)));
  const again = await server.request('service', 'GET', `/isocenter/v1/jobs/${id}/results`, {
    headers: { 'if-none-match': all.etag ?? '' },
  });
  expect(again.status).toBe(304);
});

test('one file honours Range and ETag, and every fetch stands in the audit log', async () => {
  const client = server.client('service');
  const { id } = await client.jobs.create({ model: 'ct-basic', formats: ['csv'], body: study });
  await ended(client, id);
  const whole = await (await client.results.file({ job: id, file: 'segmentation.volumes.csv' })).read();
  const part = await client.results.file(
    { job: id, file: 'segmentation.volumes.csv' },
    { range: { first: 3, last: 9 } },
  );
  expect(Buffer.from(await part.read())).toEqual(Buffer.from(whole.subarray(3, 10)));
  const { items } = await server.client('administrator').audit.list({ subject: id, action: 'result.fetched' });
  expect(items.map(({ details }) => details?.what)).toEqual(['segmentation.volumes.csv', 'segmentation.volumes.csv']);
});

test('a study is uploaded once, looked at, used by two jobs, and erased', async () => {
  const client = server.client('data-scientist');
  const kept = await client.studies.add({ body: new Blob([study]) });
  expect(kept).toMatchObject({ bytes: study.length, jobs: 0 });
  const { series, choice } = await client.studies.inspect({ study: kept.id, model: 'ct-basic' });
  expect(series).toHaveLength(1);
  expect(series[0]).toMatchObject({ Modality: 'CT', images: 12, size: [64, 64, 12], usable: true });
  expect(choice?.reasons.length).toBeGreaterThan(0);
  const jobs = [];
  for (const formats of [['csv'], ['nifti']] as const)
    jobs.push(await client.jobs.createFromStudy({ study: kept.id, model: 'ct-basic', formats: [...formats] }));
  for (const { id, study: from } of jobs) {
    expect(from).toBe(kept.id);
    expect((await ended(client, id)).state).toBe('succeeded');
  }
  expect((await client.studies.get({ study: kept.id })).jobs).toBe(2);
  await client.studies.remove({ study: kept.id });
  await expect(client.studies.get({ study: kept.id })).rejects.toMatchObject({ status: 404 });
  const { rows } = {
    rows: await server.parts.db
      .selectFrom('blob')
      .select(['state', 'purpose'])
      .where('purpose', '=', 'study')
      .execute(),
  };
  expect(rows.filter(({ state }) => state === 'stored')).toEqual([]);
});

test('the same Idempotency-Key makes one job, and the images of the second request are erased', async () => {
  const client = server.client('service');
  const body = { model: 'ct-basic', formats: ['csv' as const], body: study };
  const first = await client.jobs.create(body, { idempotencyKey: 'case-17' });
  const second = await client.jobs.create(body, { idempotencyKey: 'case-17' });
  expect(second.id).toBe(first.id);
  await ended(client, first.id);
  const left = await server.parts.db
    .selectFrom('blob')
    .select('id')
    .where('purpose', '=', 'upload')
    .where('state', '=', 'stored')
    .where('released_at', 'is', null)
    .execute();
  expect(left).toEqual([]);
});

test('a body that is streamed in small pieces arrives whole', async () => {
  async function* pieces() {
    for (let at = 0; at < study.length; at += 7000) yield study.subarray(at, at + 7000);
  }
  const client = server.client('service');
  const { id } = await client.jobs.create({ model: 'ct-basic', formats: ['csv'], body: pieces() });
  expect((await ended(client, id)).state).toBe('succeeded');
});

test('the self-test goes through the real queue, compares, and leaves nothing', async () => {
  const result = await server.client('administrator').operations.selfTest();
  expect(result.checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(result.passed).toBe(true);
  const job = await server.client('administrator').jobs.get({ job: result.job ?? '' });
  expect(job.files).toEqual([]);
});

test('results are erased when asked, the job is still known', async () => {
  const client = server.client('service');
  const { id } = await client.jobs.create({ model: 'ct-basic', formats: ['csv'], body: study });
  await ended(client, id);
  await client.results.erase({ job: id, reason: 'delivered' });
  await expect(client.results.download({ job: id })).rejects.toMatchObject({ status: 409, kind: 'no-result' });
  expect((await client.jobs.get({ job: id })).state).toBe('succeeded');
});

test('a study that no model can read fails with cause, place and next step, and can be retried', async () => {
  const client = server.client('service');
  const { id } = await client.jobs.create({ model: 'ct-basic', body: new Blob(['this is no study']) });
  const failed = await ended(client, id);
  expect(failed.state).toBe('failed');
  expect(failed.failure?.message).toBeTruthy();
  await expect(client.results.download({ job: id })).rejects.toMatchObject({ kind: 'no-result' });
  expect((await client.jobs.retry({ job: id })).state).toBe('queued');
  expect((await ended(client, id)).state).toBe('failed');
});

test('a version is exported, and what was exported is the same version again', async () => {
  const client = server.client('administrator');
  const { items } = await client.models.list();
  const [model] = items;
  const file = await client.models.export({ model: model.address });
  expect(file.name).toBe(`${model.name}-${model.version}.zip`);
  const again = await client.models.add({ body: new Blob([await file.read()]) });
  expect(again.id).toBe(model.id);
  expect((await client.models.structures({ model: model.name })).items).toEqual(model.structures);
  const taken = await client.audit.list({ subject: model.id, action: 'model.exported' });
  expect(taken.items).toHaveLength(1);
});

test('a Python module is stored with a version and served back, bytes for bytes', async () => {
  const client = server.client('data-scientist');
  const name = `boxes`;
  const form = JSON.stringify({
    kind: 'segmentation',
    intensity: { kind: 'window', from: -1000, to: 200, low: -1, high: 1 },
  });
  const bytes = new Uint8Array(signNetwork(['i', 'j', 'k']));
  const { id, structures } = await client.models.add({ name, version: '1', structures: ['Box'], form, body: bytes });
  expect(structures.map((structure) => structure.name)).toEqual(['Box']);
  const code = Buffer.from('raise SystemExit("never run")\n');
  const { pythonModule } = await client.models.storeModule({ model: id, name: 'network.py', body: code });
  expect(pythonModule).toMatchObject({ name: 'network.py', bytes: code.length });
  const back = await client.models.module({ model: `${name}:1` });
  expect(back.name).toBe('network.py');
  expect(Buffer.from(await back.read())).toEqual(code);
  const part = await client.models.module({ model: id }, { range: { first: 6, last: 15 } });
  expect(Buffer.from(await part.read()).toString()).toBe('SystemExit');
  const { items } = await client.models.list({ state: 'active', limit: 1 });
  expect(items[0].id).toBe(id);
  expect((await client.models.retire({ model: id })).state).toBe('retired');
  await expect(client.models.get({ model: name })).rejects.toMatchObject({ status: 404 });
  expect((await client.models.activate({ model: id })).state).toBe('active');
  const { id: family } = await client.families.get({ family: (await client.models.get({ model: id })).familyId });
  expect((await client.families.update({ family, name: 'Boxes', gender: 'Any' })).name).toBe('Boxes');
  await client.models.remove({ model: id });
});

test('a setting is written into the file for the next start, and what runs is left alone', async () => {
  const client = server.client('administrator');
  const changed = await client.settings.change({ setting: 'studyMinutes', value: 30, reason: 'small disk' });
  expect(changed).toMatchObject({ value: 60, waiting: 30, changeable: true });
  expect(JSON.parse(await readFile(join(server.folder, 'config.json'), 'utf8'))).toEqual({ studyMinutes: 30 });
  await expect(client.settings.change({ setting: 'studyMinutes', value: -1 })).rejects.toMatchObject({
    kind: 'bad-value',
  });
  await expect(client.settings.change({ setting: 'home', value: '/etc' })).rejects.toMatchObject({
    kind: 'not-changeable',
  });
  const back = await client.settings.change({ setting: 'studyMinutes', value: null });
  expect(back.waiting).toBeUndefined();
});

test('feedback and telemetry are kept and listed page by page', async () => {
  const client = server.client('data-scientist');
  const { id } = await client.jobs.create({ model: 'ct-basic', formats: ['csv'], body: study });
  const given = await client.feedback.give({
    job: id,
    accepted: false,
    score: 0.4,
    comments: "Robert'); drop table job;--",
    structures: [{ structure: 'Lung_L', score: 0.9 }],
  });
  expect(given.comments).toBe("Robert'); drop table job;--");
  expect(await client.feedback.get({ feedback: given.id })).toEqual(given);
  await client.feedback.give({ job: id, accepted: true });
  const first = await client.feedback.list({ job: id, limit: 1 });
  expect(first.items[0].accepted).toBe(true);
  const second = await client.feedback.list({ job: id, limit: 1, ...(first.next ? { cursor: first.next } : {}) });
  expect(second.items).toEqual([given]);
  expect(second.next).toBeUndefined();
  await client.telemetry.send({ job: id, client: 'planning 4.2', uploadMs: 120, retries: 2, error: 'timeout' });
  expect((await client.telemetry.list({ job: id })).items[0]).toMatchObject({ uploadMs: 120, error: 'timeout' });
});

test('an upload that breaks off makes no job and leaves no blob', async () => {
  const client = server.client('service');
  const before = (await client.jobs.list()).items.length;
  const controller = new AbortController();
  async function* broken() {
    yield study.subarray(0, 50_000);
    controller.abort(new Error('the cable was pulled'));
    await new Promise((_, refuse) => setTimeout(refuse, 50, new Error('cut')));
  }
  const create = client.jobs.create({ model: 'ct-basic', body: broken() }, { signal: controller.signal });
  await expect(create).rejects.toThrow('the cable was pulled');
  await expect.poll(() => blobsOfNobody(), { timeout: 10_000 }).toEqual([]);
  expect((await client.jobs.list()).items.length).toBe(before);
});

function blobsOfNobody() {
  return server.parts.db
    .selectFrom('blob')
    .select(['id', 'purpose', 'state'])
    .where('state', 'in', ['writing', 'stored'])
    .where('purpose', 'in', ['upload', 'study'])
    .where('released_at', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('blob_owner').select('kind').whereRef('blob_owner.blob_id', '=', 'blob.id'))),
    )
    .execute();
}

test('after all of this no temporary file is left', async () => {
  await expect.poll(() => readdir(server.parts.temporaryFolder), { timeout: 5000 }).toEqual([]);
});
