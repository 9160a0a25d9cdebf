/** Nobody loses images to somebody who may only see them, to a commit whose answer was lost, or to two requests at the same moment. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SYSTEM } from '../accounts/actor.js';
import { StateError } from '../state/state-error.js';
import { type RestServer, restServer } from './rest-server.suite.js';

const bytes = new Blob(['a study that nobody looks at here']);

let server: RestServer;
beforeAll(async () => {
  server = await restServer({ slots: 0 });
});
afterAll(() => server.close());

it('who sees the studies of all erases only their own; administrators erase any, and the log says for whom', async () => {
  const [first, second] = [
    await server.client('service').studies.add({ body: bytes }),
    await server.client('service').studies.add({ body: bytes }),
  ];
  const clinician = server.client('clinician');
  expect((await clinician.studies.get({ study: first.id })).id).toBe(first.id);
  await expect(clinician.studies.remove({ study: first.id })).rejects.toMatchObject({ status: 403 });
  const own = await clinician.studies.add({ body: bytes });
  await clinician.studies.remove({ study: own.id });
  await server.client('service').studies.remove({ study: first.id });
  await server.client('administrator').studies.remove({ study: second.id });
  const { entries } = await server.parts.audit.list({ action: 'study.erased', subjectId: second.id }, { limit: 5 });
  expect(entries.map(({ reason }) => reason)).toEqual(['deleted for its owner']);
});

it('a job whose commit was done, but whose answer was lost on the way, keeps its images', async () => {
  const jobs = server.parts.jobs;
  const create = jobs.create.bind(jobs);
  jobs.create = async (...wish) => {
    await create(...wish);
    throw new StateError('unavailable', 'The connection to the database was lost.');
  };
  const client = server.client('service');
  const sent = { model: 'ct-basic', body: bytes };
  try {
    await expect(client.jobs.create(sent, { idempotencyKey: 'once' })).rejects.toMatchObject({ status: 503 });
  } finally {
    jobs.create = create;
  }
  // The client's second attempt is told of the first one's job, which must be able to run.
  const { id } = await client.jobs.create(sent, { idempotencyKey: 'once' });
  const [blobId = ''] = (await jobs.get(id, SYSTEM))?.inputBlobIds ?? [];
  const { stream } = await server.parts.blobs.open(blobId);
  expect(Buffer.concat(await stream.toArray()).toString()).toBe(await bytes.text());
});

it('a job is made in the order in which its study is erased, the study before its bytes, so that neither waits for the other', async () => {
  const { jobs, blobs, db, studies } = server.parts;
  const study = await studies.add(bytes.stream(), SYSTEM);
  let free = false;
  await jobs.create(
    {
      kind: 'segment',
      protocol: 'rest',
      actor: SYSTEM,
      inputBlobIds: [study.blobId],
      parameters: {},
    },
    async (tx, id) => {
      await studies.use(tx, study.id, id);
      // From another connection: nobody holds the blob while the study is still being taken.
      await db.transaction().execute(async (other) => {
        await sql`select from blob where id = ${study.blobId} for update nowait`.execute(other);
      });
      free = true;
    },
  );
  expect(free).toBe(true);
  expect((await blobs.open(study.blobId)).bytes).toBe(bytes.size);
});
