/** Ownership: foreign jobs and studies are 404 for who may not read all; ids that are no ids are 404 too; texts stay texts. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RestServer, restServer } from './rest-server.suite.js';

let server: RestServer;
let job: string;
let study: string;
let stranger: string;
const bytes = new Blob(['a study that nobody looks at here']);

beforeAll(async () => {
  server = await restServer({ slots: 0, limits: { uploadBytes: 100_000 } });
  stranger = await server.key('service', 'stranger');
  const client = server.client('service');
  job = (await client.jobs.create({ model: 'ct-basic', body: bytes })).id;
  study = (await client.studies.add({ body: bytes })).id;
});
afterAll(() => server.close());

/** Every route with a job or a study in it, with the id in its place. */
function routesOf(parameter: string, id: string) {
  return server.app.routesTable
    .filter(({ path, method }) => path.includes(`/:${parameter}`) && method !== 'HEAD')
    .map(({ method, path }) => ({ method, path: path.replace(`:${parameter}`, id).replace(':file', 'x') }));
}

const bodies: Readonly<Record<string, unknown>> = {
  priority: { priority: 1, reason: 'r' },
  feedback: { accepted: true },
  jobs: { model: 'ct-basic' },
};

async function ask(who: string, method: string, path: string): Promise<number> {
  const json = bodies[path.split('/').at(-1) ?? ''];
  const init =
    json === undefined || method === 'GET'
      ? {}
      : { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
  const answer = await server.request(who, method, path, init);
  await answer.body?.cancel();
  return answer.status;
}

describe('a key that has the permission but not the job', () => {
  test('gets the same 404 from every route of a foreign job or study as of one that never was', async () => {
    for (const [parameter, id] of [
      ['job', job],
      ['study', study],
    ]) {
      const routes = routesOf(parameter, id);
      expect(routes.length).toBeGreaterThan(3);
      for (const [n, { method, path }] of routes.entries()) {
        // Priorities need a permission that no service key has: 403, whatever the id.
        const expected = path.endsWith('/priority') ? 403 : 404;
        expect(await ask(stranger, method, path), `${method} ${path}`).toBe(expected);
        const nowhere = routesOf(parameter, randomUUID())[n];
        expect(await ask(stranger, nowhere.method, nowhere.path)).toBe(expected);
      }
    }
  });

  test('sees an empty list, and the owner and those who read all see it', async () => {
    const list = async (who: string) =>
      ((await (await server.request(who, 'GET', '/isocenter/v1/jobs')).json()) as { items: unknown[] }).items.length;
    expect(await list(stranger)).toBe(0);
    expect(await list('service')).toBe(1);
    expect(await list('clinician')).toBe(1);
    expect(await list('data-scientist')).toBe(0);
  });

  test('changes nothing of it', async () => {
    const client = server.client('service');
    expect((await client.jobs.get({ job })).state).toBe('queued');
    expect((await client.studies.get({ study })).id).toBe(study);
  });
});

describe('ids and names from strangers', () => {
  const tricks = [
    "' or 1=1 --",
    "'; drop table job; --",
    '..%2f..%2fetc%2fpasswd',
    '%2e%2e',
    '%00',
    'a%0d%0ab',
    'x'.repeat(5000),
    '🩻',
    '{{7*7}}',
    '$(id)',
    'null',
    '-1',
    'ct-basic:../../x',
  ];

  test('are not found, or refused, and never a fault of the server', async () => {
    for (const trick of tricks) {
      const id = trick.includes('%') ? trick : encodeURIComponent(trick);
      for (const path of [
        `/jobs/${id}`,
        `/jobs/${id}/events`,
        `/jobs/${id}/files/${id}`,
        `/jobs/${job}/files/${id}`,
        `/studies/${id}`,
        `/studies/${id}/series`,
        `/models/${id}`,
        `/families/${id}`,
        `/users/${id}`,
        `/feedback/${id}`,
        `/settings/${id}`,
        `/jobs?cursor=${id}`,
        `/studies?cursor=${id}`,
        `/feedback?cursor=${id}`,
        `/audit?cursor=${id}`,
        `/jobs?model=${id}`,
        `/feedback?job=${id}`,
        `/audit?action=${id}&subject=${id}`,
      ]) {
        const answer = await server.request('administrator', 'GET', `/isocenter/v1${path}`);
        expect(answer.status, path).toBeLessThan(500);
        if (!path.includes('?')) expect([400, 404, 409, 414], path).toContain(answer.status);
        expect(answer.headers.get('content-type')).toMatch(/json/);
        await answer.body?.cancel();
      }
    }
    // The tables are still there.
    expect((await server.client('administrator').jobs.list()).items).toHaveLength(1);
  });

  test('in a body are kept as they are or refused, never executed', async () => {
    const client = server.client('administrator');
    for (const trick of ["'); delete from job;--", '\\u0000', '<script>alert(1)</script>', '🩻'.repeat(100)]) {
      const { id } = await client.feedback.give({
        job,
        accepted: true,
        comments: trick,
        structures: [{ structure: trick.slice(0, 60) }],
      });
      expect((await client.feedback.get({ feedback: id })).comments).toBe(trick);
    }
    for (const trick of ['a\u0000b', 'half \ud800 a pair'])
      await expect(client.feedback.give({ job, accepted: true, comments: trick })).rejects.toMatchObject({
        status: 400,
        where: 'body.comments',
      });
  });
});

describe('what is too large', () => {
  test('is refused before it is read, and leaves no job, study or blob', async () => {
    const client = server.client('service');
    const large = new Blob([new Uint8Array(100_001)]);
    await expect(client.jobs.create({ model: 'ct-basic', body: large })).rejects.toMatchObject({
      status: 413,
      kind: 'too-large',
    });
    await expect(client.studies.add({ body: large })).rejects.toMatchObject({ status: 413 });
    await expect(server.client('administrator').models.add({ body: large })).rejects.toMatchObject({ status: 413 });
    expect((await client.jobs.list()).items).toHaveLength(1);
    expect((await client.studies.list()).items).toHaveLength(1);
  });

  test('is refused while it is read when its length was not said', async () => {
    async function* endless() {
      for (let n = 0; n < 1000; n++) yield new Uint8Array(10_000);
    }
    await expect(server.client('service').studies.add({ body: endless() })).rejects.toMatchObject({ status: 413 });
    expect((await server.client('service').studies.list()).items).toHaveLength(1);
  });

  test('as text, list or number is told field by field', async () => {
    const client = server.client('service');
    await expect(client.feedback.give({ job, accepted: true, comments: 'x'.repeat(5000) })).rejects.toMatchObject({
      kind: 'validation',
      fields: [{ path: 'body.comments', fault: 'must be at most 4000 characters' }],
    });
    await expect(client.jobs.list({ limit: 100_000 })).rejects.toMatchObject({ kind: 'validation' });
    await expect(
      client.jobs.create({ model: 'ct-basic', formats: ['exe' as 'png'], body: bytes }),
    ).rejects.toMatchObject({
      kind: 'validation',
      where: 'query.formats.0',
    });
  });
});

describe('what is refused before the bytes are taken', () => {
  test('a model that is not there, and a priority that is not ours to give', async () => {
    const client = server.client('service');
    await expect(client.jobs.create({ model: 'no-such-model', body: bytes })).rejects.toMatchObject({
      status: 404,
      where: 'model',
    });
    await expect(client.jobs.create({ model: 'ct-basic', priority: 5, body: bytes })).rejects.toMatchObject({
      status: 403,
      kind: 'priority-not-allowed',
    });
    const low = await client.jobs.create({ model: 'ct-basic', priority: -5, body: bytes });
    expect(low.priority).toBe(-5);
    const raised = await server
      .client('administrator')
      .jobs.setPriority({ job: low.id, priority: 9, reason: 'emergency' });
    expect(raised.priority).toBe(9);
    expect((await client.jobs.cancel({ job: low.id, reason: 'not needed' })).state).toBe('cancelled');
  });

  test('JSON where a study belongs says where JSON belongs', async () => {
    const answer = await server.request('service', 'POST', '/isocenter/v1/jobs?model=ct-basic', {
      body: JSON.stringify({ study, model: 'ct-basic' }),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { next: string }).next).toContain('/studies/{study}/jobs');
  });
});

test('a study that nobody uses in its time is erased, one with a waiting job is not', async () => {
  const client = server.client('service');
  const used = await client.studies.add({ body: bytes });
  await client.jobs.createFromStudy({ study: used.id, model: 'ct-basic' });
  await server.parts.db
    .updateTable('study')
    .set({ expires_at: new Date(0) })
    .execute();
  expect(await server.parts.studies.sweep()).toEqual({ erased: 1 });
  await expect(client.studies.get({ study })).rejects.toMatchObject({ status: 404 });
  expect((await client.studies.get({ study: used.id })).jobs).toBe(1);
  await expect(client.studies.remove({ study: used.id })).rejects.toMatchObject({ status: 409, kind: 'in-use' });
});
