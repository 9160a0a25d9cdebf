/**
 * A patient's name planted wherever a client can put one, in studies that are whole and in studies that are broken in twenty
 * ways. Then everything that the server says or keeps is searched for it: only results, and images until they are erased, may
 * hold it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Dataset, parseDicom, writeDicom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { endOf } from './mixed-work.suite.js';
import { runProgram, ServerProcess } from './server-process.suite.js';

// Whole servers on machines that are busy with other tests.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const NAME = 'ZZPLANTED';
const TEXTS = [
  ['PatientName', `${NAME}^ADA^^DR`],
  ['PatientID', `${NAME}-1`],
  ['PatientAddress', `${NAME} STREET 1`],
  ['OtherPatientIDs', `${NAME}-2`],
  ['PatientTelephoneNumbers', `${NAME} 555`],
  ['PatientComments', `${NAME} comments`],
  ['ReferringPhysicianName', `${NAME}^DOCTOR`],
  ['InstitutionName', `${NAME} hospital`],
  ['SeriesDescription', `${NAME} series`],
  ['StudyDescription', `${NAME} study`],
  ['StudyID', `${NAME}S`],
  ['AccessionNumber', `${NAME}A`],
  ['ProtocolName', `${NAME} protocol`],
  ['Manufacturer', `${NAME} maker`],
  ['StationName', `${NAME}W`],
  ['ImageComments', `${NAME} image`],
] as const;

type File = { readonly name: string; readonly bytes: Uint8Array };
type Change = (dataset: Dataset, n: number) => unknown;

let server: ServerProcess;
let files: readonly File[];
const said: { readonly where: string; readonly text: string }[] = [];

beforeAll(async () => {
  server = await ServerProcess.start({ environment: { ISOCENTER_LOG_LEVEL: 'debug', ISOCENTER_LOG_FORMAT: 'json' } });
  const phantom = await makePhantom({ kind: 'thorax', size: [32, 32, 8], spacing: [14, 14, 36] });
  files = phantom.files.map(({ bytes }, n) => ({
    name: `${NAME}^ADA/${NAME} series/${NAME} ${n}.dcm`,
    bytes: edited(bytes, plant, n),
  }));
});
afterAll(() => server?.close());

function plant(dataset: Dataset): void {
  for (const [keyword, text] of TEXTS) dataset.set(keyword, text);
  dataset.set(0x00090010, `${NAME} CREATOR`, 'LO').set(0x00091001, `${NAME} private`, 'LT');
}

function edited(bytes: Uint8Array, change: Change, n: number): Uint8Array {
  const { dataset } = parseDicom(bytes);
  change(dataset, n);
  return writeDicom(dataset);
}

const each = (change: Change) => files.map(({ name, bytes }, n) => ({ name, bytes: edited(bytes, change, n) }));
const raw = (change: (bytes: Buffer, n: number) => Uint8Array) =>
  files.map(({ name, bytes }, n) => ({ name, bytes: change(Buffer.from(bytes), n) }));

/** Each is a study that names its patient; most are broken, each in its own way. */
async function studies(): Promise<Record<string, Uint8Array>> {
  const zip = await writeZip(files);
  const flipped = Buffer.from(zip);
  flipped.fill(0x41, 2000, 2600);
  const climbing = Buffer.from(
    Buffer.from(await writeZip([{ name: `aa/${NAME}.dcm`, bytes: files[0].bytes }]))
      .toString('latin1')
      .replaceAll('aa/', '../'),
    'latin1',
  );
  const nrrd = `NRRD0005\ntype: ${NAME}\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n`;
  return {
    whole: zip,
    'one image': files[0].bytes,
    'cut images': await writeZip(raw((bytes, n) => (n % 3 === 1 ? bytes.subarray(0, -500) : bytes))),
    'cut in the header': await writeZip(raw((bytes) => bytes.subarray(0, 700))),
    'one slice missing': await writeZip(files.filter((_, n) => n !== 3)),
    'all twice': await writeZip([...files, ...files.map(({ name, bytes }) => ({ name: `${NAME}2/${name}`, bytes }))]),
    'a damaged zip': flipped,
    'half a zip': zip.subarray(0, zip.length / 2),
    'no image': await writeZip([{ name: `${NAME}.txt`, bytes: Buffer.from(NAME) }]),
    'a zip in a zip': await writeZip([{ name: `${NAME}.zip`, bytes: zip }]),
    'a climbing name': climbing,
    'a name where rows belong': await writeZip(each((d) => d.set('Rows', NAME, 'LO'))),
    'a name where numbers belong': await writeZip(each((d) => d.set('PixelSpacing', [NAME, NAME], 'LO'))),
    'a name as position': await writeZip(each((d) => d.set('ImagePositionPatient', [NAME, '1', '2'], 'LO'))),
    'a name as modality': await writeZip(each((d) => d.set('Modality', NAME))),
    'a name as orientation': await writeZip(each((d) => d.set('ImageOrientationPatient', NAME, 'LO'))),
    'a name as UID': await writeZip(each((d) => d.set('SeriesInstanceUID', NAME, 'LO'))),
    'a name as class': await writeZip(each((d) => d.set('SOPClassUID', NAME, 'LO'))),
    'a name as photometry': await writeZip(each((d) => d.set('PhotometricInterpretation', NAME))),
    'a name as slope': await writeZip(each((d) => d.set('RescaleSlope', NAME, 'LO'))),
    'a name as units': await writeZip(each((d) => d.set('RescaleType', NAME))),
    'a name as position of the patient': await writeZip(each((d) => d.set('PatientPosition', NAME))),
    'a name as character set': await writeZip(each((d) => d.set('SpecificCharacterSet', NAME))),
    'two patients': await writeZip(each((d, n) => d.set('PatientID', `${NAME}-${n}`))),
    'several series': await writeZip(each((d, n) => d.set('SeriesInstanceUID', `1.2.3.${n % 2}`))),
    'no pixels': await writeZip(each((d) => d.delete('PixelData'))),
    'a name as transfer syntax': await writeZip(
      raw((bytes) => Buffer.from(bytes.toString('latin1').replace('1.2.840.10008.1.2.1', `${NAME}.8.1.2.1`), 'latin1')),
    ),
    'an NRRD that says a name': Buffer.from(nrrd),
    'a gzip of a name': gzipSync(`${NAME} is no image`),
  };
}

/** Every request goes through here: status, headers and body are kept for the search. */
async function ask(method: string, path: string, init: RequestInit = {}, key: string | undefined = server.token) {
  const answer = await server.request(key, method, path, init);
  const body = await answer.text();
  const headers = JSON.stringify([...answer.headers]);
  said.push({ where: `${method} ${path.replaceAll(NAME, '…')}`, text: `${answer.status} ${headers}\n${body}` });
  return { status: answer.status, json: () => JSON.parse(body) };
}

const ZIP = { 'content-type': 'application/zip' };
const JSON_BODY = { 'content-type': 'application/json' };

function namesBelow(folder: string): string {
  try {
    return readdirSync(folder, { recursive: true }).join('\n');
  } catch {
    // A folder went while it was read.
    return '';
  }
}

async function dump(): Promise<string> {
  const password = readFileSync(join(server.home, 'postgres/password'), 'utf8').trim();
  const host = encodeURIComponent(join(server.home, 'postgres/run'));
  const client = new pg.Client({
    connectionString: `postgresql://isocenter:${password}@localhost/isocenter?host=${host}`,
  });
  await client.connect();
  const lines: string[] = [];
  const { rows: tables } = await client.query(
    `select schemaname as s, tablename as t from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  for (const { s, t } of tables) {
    const { rows } = await client.query(`select to_jsonb(x)::text as line from "${s}"."${t}" x`);
    lines.push(...rows.map(({ line }) => `${s}.${t} ${line}`));
  }
  await client.end();
  return lines.join('\n');
}

const hit = (body: string) => body.slice(Math.max(0, body.indexOf(NAME) - 200), body.indexOf(NAME) + 100);
const leaks = () => said.filter((one) => one.text.includes(NAME)).map((one) => `${one.where}: …${hit(one.text)}`);

it('nothing but results names a patient', async () => {
  const inputs = await studies();
  let over = false;
  const watching = (async () => {
    while (!over) {
      said.push({ where: 'process list', text: server.processes.map(({ command }) => command).join('\n') });
      for (const folder of ['work', 'temporary', 'copies', 'blobs', 'models', 'run'])
        said.push({ where: `names in ${folder}`, text: namesBelow(join(server.home, folder)) });
      await new Promise((done) => setTimeout(done, 100));
    }
  })();
  const client = server.client();
  const jobs: { readonly what: string; readonly id: string }[] = [];
  const refused: string[] = [];
  for (const [what, bytes] of Object.entries(inputs)) {
    const body = new Uint8Array(bytes);
    const formats = '&formats=rtstruct,seg,csv,sr';
    const post = await ask('POST', `/isocenter/v1/jobs?model=ct-basic&maxAttempts=1${formats}`, {
      body,
      headers: { ...ZIP, 'idempotency-key': `${NAME}-${jobs.length}`, 'user-agent': NAME, referer: `http://x/${NAME}` },
    });
    if (post.status === 202) jobs.push({ what, id: post.json().id });
    else refused.push(what);
    const study = await ask('POST', '/isocenter/v1/studies', {
      body,
      headers: { ...ZIP, 'content-disposition': `attachment; filename="${NAME}.zip"` },
    });
    if (study.status === 201) await ask('GET', `/isocenter/v1/studies/${study.json().id}/series?model=ct-basic`);
    await ask('POST', `/isocenter/v1/models?name=model-${jobs.length}`, { body, headers: ZIP });
  }
  expect(refused).toEqual([]);
  const states: Record<string, string> = {};
  for (const { what, id } of jobs) {
    states[what] = (await endOf(client, id)).state;
    await ask('GET', `/isocenter/v1/jobs/${id}`);
    await ask('GET', `/isocenter/v1/jobs/${id}/files`);
    if (states[what] !== 'succeeded') await ask('GET', `/isocenter/v1/jobs/${id}/results`);
  }
  expect(new Set(Object.values(states))).toEqual(new Set(['succeeded', 'failed']));
  expect(states.whole).toBe('succeeded');
  expect(Object.values(states).filter((state) => state === 'failed').length).toBeGreaterThan(10);

  // The plant works: what may hold the name does.
  const whole = jobs.find(({ what }) => what === 'whole')?.id ?? '';
  const contours = await (await client.results.download({ job: whole, format: 'rtstruct' })).read();
  expect(Buffer.from(contours).includes(NAME)).toBe(true);

  const [{ id: job }] = jobs;
  const multipart = new FormData();
  multipart.set('form', JSON.stringify({ [NAME]: NAME }));
  multipart.set('file', new Blob([new Uint8Array(inputs.whole)]), `${NAME}.onnx`);
  await ask('POST', '/isocenter/v1/models', { body: multipart });
  for (const path of [
    `/isocenter/v1/jobs/${NAME}`,
    `/isocenter/v1/jobs/${job}/files/${NAME}.dcm`,
    `/isocenter/v1/jobs/${job}/results?format=${NAME}`,
    `/isocenter/v1/jobs?patient=${NAME}`,
    `/isocenter/v1/jobs?${NAME}=1`,
    `/isocenter/v1/jobs?cursor=${NAME}`,
    `/isocenter/v1/jobs?states=${NAME}`,
    `/isocenter/v1/jobs?createdAfter=${NAME}`,
    `/isocenter/v1/jobs?model=${NAME}`,
    `/isocenter/v1/studies/${NAME}/series`,
    `/isocenter/v1/models/${NAME}`,
    `/isocenter/v1/audit?subject=${NAME}`,
    `/isocenter/v1/settings/${NAME}`,
    `/${NAME}`,
    `/problems/${NAME}/${NAME}`,
    `/setup?token=${NAME}`,
    `/isocenter/v1/users/${NAME}`,
  ]) {
    await ask('GET', path);
    await ask('GET', path, { headers: { accept: 'text/html' } });
    await ask('GET', path, {}, `iso_${NAME}`);
    await ask('DELETE', path);
  }
  for (const query of [
    `model=${NAME}`,
    `model=ct-basic&priority=${NAME}`,
    `model=ct-basic&patient=${NAME}`,
    `${NAME}=1`,
  ])
    await ask('POST', `/isocenter/v1/jobs?${query}`, { body: new Uint8Array(inputs.whole), headers: ZIP });
  for (const body of [
    `{"${NAME}":1}`,
    `"${NAME}"`,
    `{"model":"${NAME}"`,
    `{"model":"${NAME}"}`,
    `{"model":["${NAME}"]}`,
  ])
    for (const path of ['sessions', 'invites', `jobs/${job}/feedback`, 'audit/verify'])
      await ask('POST', `/isocenter/v1/${path}`, { body, headers: JSON_BODY });
  await ask('POST', '/auth/sign-in', { body: JSON.stringify({ name: NAME, password: NAME }), headers: JSON_BODY });
  await ask('POST', `/isocenter/v1/jobs?model=ct-basic`, {
    body: new Uint8Array(inputs.whole),
    headers: { ...ZIP, 'idempotency-key': `${NAME} with a space` },
  });
  over = true;
  await watching;
  const last = await client.jobs.list({ states: ['queued', 'running'] });
  for (const { id } of last.items) await endOf(client, id);

  for (const path of [
    '/metrics',
    '/problems',
    '/isocenter/v1/openapi.json',
    '/isocenter/v1/jobs?limit=500',
    '/isocenter/v1/studies',
  ])
    await ask('GET', path);
  for await (const line of auditLines()) said.push({ where: 'audit', text: line });
  for (const line of server.output.split('\n')) said.push({ where: 'log', text: line });
  const postgresLog = join(server.home, 'postgres/postgres.log');
  expect(existsSync(postgresLog)).toBe(true);
  said.push({ where: 'log of PostgreSQL', text: readFileSync(postgresLog, 'utf8') });
  for (const line of (await dump()).split('\n')) said.push({ where: 'database', text: line });
  expect(leaks()).toEqual([]);

  // Results and studies are erased; then no file of the data directory holds the name, the database's own included.
  for (const { id } of jobs)
    if ((await client.jobs.get({ job: id })).state === 'succeeded') await client.results.erase({ job: id });
  for (const { id } of (await client.studies.list({ limit: 500 })).items) await client.studies.remove({ study: id });
  for (const { id } of (await client.jobs.list({ limit: 500 })).items)
    await client.results.erase({ job: id }).catch(() => undefined);
  await server.stop();
  const holding = readdirSync(server.home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes(NAME) || readFileSync(path).includes(NAME));
  expect(holding).toEqual([]);
}, 900_000);

async function* auditLines(): AsyncGenerator<string> {
  const file = join(server.home, 'export.jsonl');
  const { code, output } = await runProgram(['audit', 'export', file], { ISOCENTER_HOME: server.home });
  expect(code, output).toBe(0);
  yield* readFileSync(file, 'utf8').split('\n');
}
