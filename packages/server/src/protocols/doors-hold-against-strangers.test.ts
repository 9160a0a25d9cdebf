/** Promises of all doors together: keys do what their scopes say, jobs stay behind their door, and no body becomes a request. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM } from '../accounts/actor.js';
import type { RestServer } from '../rest/rest-server.suite.js';
import { RELATED, requestBody } from './arterys/arterys.suite.js';
import { arterys } from './arterys/routes.js';
import { innereye } from './innereye/routes.js';
import { protocolServer } from './protocol-server.suite.js';
import { segint } from './segint/segint.js';
import { channel, inputOf, PHANTOM_ID, PROTOBUF } from './segint/segint.suite.js';

const START = '/v1/model/start/PassThroughModel:1';
const SEGMENT = `/api/v2/Model/${encodeURIComponent(PHANTOM_ID)}/segmentation`;

describe('at every door', () => {
  let server: RestServer;
  beforeAll(async () => {
    // Nobody takes the jobs: they stay what they are.
    server = await protocolServer([innereye, segint, arterys], { slots: 0, flags: { innereyeSecret: 'shared' } });
  }, 120_000);
  afterAll(() => server.close());

  const writes = (): readonly (readonly [string, string, Uint8Array<ArrayBuffer>])[] => [
    [START, 'application/zip', Uint8Array.from([1, 2, 3])],
    [SEGMENT, PROTOBUF, inputOf(channel([4, 4, 4]))],
    ['/', RELATED, Uint8Array.from(requestBody([Buffer.from('image')]))],
    ['/api/v2/Feedback/segmentation', PROTOBUF, new Uint8Array()],
    ['/api/v2/Telemetry/segmentation', PROTOBUF, new Uint8Array()],
  ];
  const jobs = async () => (await server.client('administrator').jobs.list({ limit: 200 })).items;

  it('a key that may only read writes nothing, in whichever header it comes', async () => {
    const { key } = await server.parts.accounts.createKey(
      { name: 'reader', role: 'service', scopes: ['jobs.read'] },
      SYSTEM,
    );
    const before = (await jobs()).length;
    for (const [path, type, body] of writes())
      for (const header of path === START ? ['authorization', 'api_auth_secret'] : ['authorization']) {
        const value = header === 'authorization' ? `Bearer ${key}` : key;
        const headers = { 'content-type': type, [header]: value };
        const answer = await fetch(server.url + path, { method: 'POST', body, headers });
        expect([path, answer.status]).toEqual([path, 403]);
      }
    expect(await jobs()).toHaveLength(before);
  });

  it('a job is seen through its own door and by its own client only', async () => {
    const started = await fetch(server.url + START, {
      method: 'POST',
      body: Uint8Array.from([1]),
      headers: { api_auth_secret: 'shared' },
    });
    const run = await started.text();
    const service = await server.key('service', 'another client');
    const results = (secret: string) =>
      fetch(`${server.url}/v1/model/results/${run}`, { headers: { api_auth_secret: secret } });
    expect((await results('shared')).status).toBe(202);
    expect((await results(service)).status).toBe(404);
    const [job] = await jobs();
    expect(job?.protocol).toBe('innereye');
    expect((await fetch(`${server.url}${SEGMENT}/${job!.id}`)).status).toBe(400);
    expect((await fetch(`${server.url}${SEGMENT}/${job!.id}/result`)).status).toBe(400);
    expect((await server.request(service, 'GET', `/isocenter/v1/jobs/${job!.id}`)).status).toBe(404);
    expect((await results(job!.id)).status).toBe(403);
  });

  it('JSON that would hold the event loop up for long is refused by its length', async () => {
    const json = `{"a": [${'{},'.repeat(100_000)}1]}`;
    const body = Uint8Array.from(requestBody([], json));
    const answer = await fetch(`${server.url}/`, { method: 'POST', body, headers: { 'content-type': RELATED } });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('The JSON is longer than');
  });

  it('the body of a refused request is never taken for the next one', async () => {
    const { port } = new URL(server.url);
    const inner = 'GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nAPI_AUTH_SECRET: shared\r\n\r\n';
    const refused = [
      `POST ${START} HTTP/1.1\r\nHost: localhost\r\n`,
      `PUT ${SEGMENT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${PROTOBUF}\r\n`,
      `POST ${SEGMENT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n`,
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/mixed; boundary=B\r\n',
      'POST /healthcheck HTTP/1.1\r\nHost: localhost\r\n',
      'GET /api/ping HTTP/1.1\r\nHost: localhost\r\n',
    ];
    const framings = [
      `Content-Length: ${inner.length}\r\n\r\n${inner}`,
      `Transfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
    ];
    for (const head of refused)
      for (const framing of framings) {
        const text = await new Promise<string>((resolve, reject) => {
          let heard = '';
          const socket = connect(Number(port), '127.0.0.1');
          socket.on('data', (data) => (heard += data.toString('latin1')));
          socket.on('error', reject);
          socket.on('close', () => resolve(heard));
          socket.write(`${head}${framing}`);
          socket.write('GET /api/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
        });
        // The request itself and the one behind its body, or the connection was closed; never a third.
        expect((text.match(/HTTP\/1\.1 \d{3}/g) ?? []).length, head + text.slice(0, 200)).toBeLessThanOrEqual(2);
        expect(text.split('HTTP/1.1 ').at(-1), head).not.toMatch(/^200 .*text\/html/s);
      }
  }, 60_000);
});
