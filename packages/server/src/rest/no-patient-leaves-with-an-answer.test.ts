/** Names planted in file names and headers of studies appear in no answer, log line, metric or audit entry. */
import { makePhantom } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ended, type RestServer, restServer } from './rest-server.suite.js';

const PLANTED = 'PLANTED';

let server: RestServer;
let studies: Readonly<Record<string, Buffer>>;

beforeAll(async () => {
  server = await restServer();
  const { files } = await makePhantom({ kind: 'thorax', size: [32, 32, 8], spacing: [14, 14, 36] });
  const named = files.map(({ bytes }, n) => ({ name: `${PLANTED}^NAME/${PLANTED} ${n}.dcm`, bytes: plant(bytes) }));
  const cut = named.map(({ name, bytes }, n) => ({ name, bytes: n % 3 === 1 ? bytes.subarray(0, -500) : bytes }));
  const twice = [...named, ...named.map(({ name, bytes }) => ({ name: `${PLANTED}2/${name}`, bytes }))];
  const flipped = Buffer.from(await writeZip(named));
  flipped.fill(0x41, 2000, 2600);
  studies = {
    whole: await writeZip(named),
    cut: await writeZip(cut),
    gap: await writeZip(named.filter((_, n) => n !== 3)),
    twice: await writeZip(twice),
    flipped,
    'one file': Buffer.from(named[0].bytes.subarray(0, 900)),
    text: await writeZip([{ name: `${PLANTED}.txt`, bytes: Buffer.from(PLANTED) }]),
    'zip in zip': await writeZip([{ name: `${PLANTED}.zip`, bytes: await writeZip(named) }]),
    'unsafe name': Buffer.from(
      (await writeZip([{ name: `aa/${PLANTED}`, bytes: Buffer.from('x') }]))
        .toString('latin1')
        .replaceAll('aa/', '../'),
      'latin1',
    ),
  };
});
afterAll(() => server.close());

/** Into every text of a header that is long enough to hold it: names, ids, descriptions. */
function plant(bytes: Uint8Array): Buffer {
  let text = Buffer.from(bytes).toString('latin1');
  for (const tag of ['\x10\0\x10\0PN', '\x10\0\x20\0LO', '\x08\0\x3e\x10LO', '\x08\0\x30\x10LO']) {
    const at = text.indexOf(tag);
    if (at < 0) continue;
    const length = text.charCodeAt(at + 6) + 256 * text.charCodeAt(at + 7);
    text = text.slice(0, at + 8) + PLANTED.padEnd(length, '^').slice(0, length) + text.slice(at + 8 + length);
  }
  return Buffer.from(text, 'latin1');
}

test('the plant is in the headers', async () => {
  const { files } = await makePhantom({ kind: 'thorax', size: [32, 32, 8], spacing: [14, 14, 36] });
  expect(plant(files[0].bytes).toString('latin1').split('PLANT').length).toBeGreaterThan(2);
});

test('jobs and inspections say what is wrong without saying whose it is', async () => {
  const client = server.client('service');
  const said: string[] = [];
  const states: string[] = [];
  for (const bytes of Object.values(studies)) {
    const body = new Blob([new Uint8Array(bytes)]);
    const { id } = await client.jobs.create({ model: 'ct-basic', formats: ['rtstruct', 'csv'], body });
    const job = await ended(client, id);
    states.push(job.state);
    said.push(JSON.stringify(job));
    const study = await client.studies.add({ body });
    const inspected = await client.studies
      .inspect({ study: study.id, model: 'ct-basic' })
      .catch(({ kind, message, where, next }) => ({ kind, message, where, next }));
    said.push(JSON.stringify(inspected));
  }
  // Both ways are gone: answers of studies that could be read, and failures of those that could not.
  expect(new Set(states)).toEqual(new Set(['succeeded', 'failed']));
  said.push(JSON.stringify(await client.jobs.list()), JSON.stringify(await client.studies.list()));
  said.push(JSON.stringify(await server.client('administrator').audit.list({ limit: 500 })));
  said.push(await (await server.request('administrator', 'GET', '/metrics')).text());
  said.push(...server.logged);
  expect(said.filter((text) => text.includes(PLANTED)).map((text) => text.slice(0, 2000))).toEqual([]);
});
