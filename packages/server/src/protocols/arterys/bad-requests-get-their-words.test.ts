/** What a hostile or broken client can send, to handlers on a port of their own and to the whole server. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { protocolServer } from '../protocol-server.suite.js';
import { type AskWish, ask, B, JSON_TEXT, RELATED, readAnswer, requestBody, sha256 } from './arterys.suite.js';
import { arterys } from './routes.js';
import { type ServedHandlers, serveHandlers } from './stand-alone.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const FILE = Buffer.from('any bytes');
const ECHO = `export default ({ json, parts }) => ({
  json: { protocol_version: '1.0', parts: [], study_ml_json: { json, bytes: parts.map((part) => part.length) } },
});\n`;
const frame = (json: string | Uint8Array, rest = `--${B}--\r\n`) =>
  Buffer.concat([Buffer.from(`--${B}\r\n\r\n`), Buffer.from(json as string), Buffer.from(`\r\n${rest}`)]);

/** Name → request → status and a word of the answer; `undefined`: it is a good one. */
const CASES: Readonly<Record<string, readonly [AskWish, number, string]>> = {
  'no content type': [{ body: requestBody([FILE]), type: '' }, 400, 'multipart/related'],
  'another content type': [{ body: requestBody([FILE]), type: 'text/plain' }, 400, 'multipart/related'],
  'form data': [{ body: requestBody([FILE]), type: `multipart/form-data; boundary=${B}` }, 400, 'multipart/related'],
  'a type that only begins like ours': [
    { body: requestBody([FILE]), type: `multipart/relatedness; boundary=${B}` },
    400,
    'multipart/related',
  ],
  'a path on the server': [{ body: Buffer.from('{"studyPath": "/etc"}'), type: 'application/json' }, 400, 'path'],
  'no boundary': [{ body: requestBody([FILE]), type: 'multipart/related' }, 400, 'boundary'],
  'an empty boundary': [{ body: requestBody([FILE]), type: 'multipart/related; boundary=""' }, 400, 'boundary'],
  'a boundary of 71 characters': [{ body: FILE, type: `multipart/related; boundary=${'x'.repeat(71)}` }, 400, '70'],
  'a boundary of another alphabet': [{ body: FILE, type: 'multipart/related; boundary="a\u00e4"' }, 400, 'boundary'],
  'a wrong boundary': [{ body: requestBody([FILE]), type: 'multipart/related; boundary=other' }, 400, 'early'],
  'a charset that nobody knows': [{ body: requestBody([FILE]), type: `${RELATED}; charset=klingon` }, 400, 'charset'],
  'a body cut in the last line': [{ body: requestBody([FILE]).subarray(0, -5) }, 400, 'early'],
  'a body cut in a header': [{ body: requestBody([FILE]).subarray(0, 40) }, 400, 'early'],
  'no parts': [{ body: Buffer.from(`--${B}--\r\n`) }, 400, 'no parts'],
  'JSON that is none': [{ body: frame('{"a": Mueller^Joerg}') }, 400, 'JSON'],
  'JSON that is no object': [{ body: frame('[1]') }, 400, 'object'],
  'JSON of bytes that are no UTF-8': [{ body: frame(Buffer.from([0x22, 0xff, 0x22])) }, 400, 'UTF-8'],
  'JSON with a key that reaches prototypes': [{ body: frame('{"__proto__": {}}') }, 400, 'key'],
  'JSON without bottom': [{ body: frame(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`) }, 400, 'deep'],
  'JSON of five megabytes': [{ body: frame(`{"a": "${'x'.repeat(5_000_000)}"}`) }, 400, 'longer'],
  'a header without colon': [{ body: Buffer.from(`--${B}\r\nno colon\r\n\r\n{}\r\n--${B}--`) }, 400, 'header'],
  'a header of 100 KB': [
    { body: Buffer.from(`--${B}\r\na: ${'x'.repeat(100_000)}\r\n\r\n{}\r\n--${B}--`) },
    413,
    'header',
  ],
  'a hundred thousand parts': [{ body: frame('{}', `--${B}\r\n\r\n\r\n`.repeat(100_000)) }, 413, 'parts'],
  'nothing at all': [{ headers: { 'content-type': RELATED } }, 400, ''],
  GET: [{ method: 'GET', headers: { 'content-type': RELATED } }, 405, ''],
  PUT: [{ method: 'PUT', body: requestBody([FILE]) }, 405, ''],
};

describe('a bad request', () => {
  let folder = '';
  let alone: ServedHandlers;
  let server: RestServer;
  let strict: RestServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isocenter-arterys-'));
    const module = join(folder, 'echo.mjs');
    await writeFile(module, ECHO);
    const { default: echo } = (await import(module)) as { default: never };
    alone = await serveHandlers({ '/echo': echo }, { port: 0, log: silent });
    const flags = (mode: string) => ({ protocols: JSON.stringify({ arterys: { mode, routes: { '/echo': module } } }) });
    server = await protocolServer([arterys], { flags: flags('compat') });
    strict = await protocolServer([arterys], { flags: flags('strict') });
  }, 180_000);
  afterAll(async () => {
    await Promise.all([alone?.close(), server?.close(), strict?.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  it('is told what is wrong by a service of its own, and the next request is answered', async () => {
    for (const [name, [wish, status, word]] of Object.entries(CASES)) {
      const answer = await ask(alone.url, '/echo', wish);
      expect([name, answer.status], answer.body.toString()).toEqual([name, status]);
      expect(answer.body.toString(), name).toContain(word);
      expect(answer.body.toString(), name).not.toMatch(/Mueller|\/work|at Object/);
    }
    expect(readAnswer(await ask(alone.url, '/echo', { body: requestBody([FILE]) })).json.study_ml_json.bytes).toEqual([
      FILE.length,
    ]);
  });

  it('is told the same by the whole server, in upstream words or as a problem document', async () => {
    for (const [name, [wish, status, word]] of Object.entries(CASES)) {
      // Fastify reads the header before we do, and other methods are not there.
      if (['GET', 'PUT'].includes(wish.method ?? '') || wish.type === '') continue;
      const answer = await ask(server.url, '/echo', wish);
      expect([name, answer.status], answer.body.toString()).toEqual([name, status]);
      expect(answer.body.toString(), name).toContain(word);
      expect(answer.headers['content-type'], name).toContain('text/plain');
      const document = await ask(strict.url, '/echo', wish);
      expect([name, document.status]).toEqual([name, status]);
      expect(document.headers['content-type'], name).toContain('application/problem+json');
      expect(JSON.parse(document.body.toString())).toMatchObject({ status });
    }
    expect(readAnswer(await ask(server.url, '/echo', { body: requestBody([FILE]) })).json.study_ml_json.bytes).toEqual([
      FILE.length,
    ]);
    expect(server.logged.join('')).not.toMatch(/Mueller|"defect"/);
  });

  it('is not what upstream takes: any case, quotes or none, charsets, empty headers, no last line end, a preamble', async () => {
    const plain = requestBody([FILE]);
    const good: Readonly<Record<string, AskWish>> = {
      'upper case': { body: plain, type: `Multipart/Related; Boundary=${B}` },
      'no quotes': { body: plain, type: `multipart/related; boundary=${B}` },
      'a type parameter': {
        body: plain,
        type: `multipart/related; type="application/json"; boundary="${B}"; start="<a>"`,
      },
      'no last line end': { body: plain.subarray(0, -2) },
      'preamble and epilogue': { body: Buffer.concat([Buffer.from('hello\r\n'), plain, Buffer.from('bye')]) },
      chunked: { body: plain, headers: { 'transfer-encoding': 'chunked', 'content-type': RELATED } },
    };
    for (const url of [alone.url, server.url])
      for (const [name, { headers, body, type }] of Object.entries(good)) {
        const sent = headers ? { method: 'POST', headers, body: body! } : { body: body!, ...(type ? { type } : {}) };
        const { hashes, json } = readAnswer(await ask(url, '/echo', sent));
        expect([name, hashes.slice(0, 64)]).toEqual([name, sha256(JSON_TEXT, FILE)]);
        expect(json.study_ml_json.bytes).toEqual([FILE.length]);
      }
    const latin = await ask(server.url, '/echo', {
      body: frame(Buffer.from('{"a": "\u00e4"}', 'latin1')),
      type: `${RELATED}; charset=ISO-8859-1`,
    });
    expect(readAnswer(latin).jsonText).toContain('{"a": "\\u00e4"}');
  });

  it('uses a boundary of its own when the one of the request stands in the answer', async () => {
    const answer = await ask(server.url, '/echo', {
      body: frame(`{"a": "--${'zz'}"}`).toString().replaceAll(B, 'zz') as never,
      type: 'multipart/related; boundary=zz',
    });
    // The JSON above is cut at its own delimiter only where a line begins with it.
    expect(answer.headers['content-type']).toMatch(/boundary=[0-9a-f]{32}$/);
    expect(readAnswer(answer).json.study_ml_json.json).toEqual({ a: '--zz' });
  });

  it('answers health by every method that upstream has', async () => {
    for (const url of [alone.url, server.url])
      for (const method of ['GET', 'POST', 'HEAD']) {
        const health = await ask(url, '/healthcheck', { method });
        expect([method, health.status, health.body.toString()]).toEqual([
          method,
          200,
          method === 'HEAD' ? '' : 'READY',
        ]);
        expect(health.headers['content-type']).toBe('text/html; charset=utf-8');
        expect(health.headers['content-length']).toBe('5');
        const ping = await ask(url, '/ping', { method });
        expect([ping.status, ping.headers['content-length']]).toEqual([200, '49']);
      }
  });

  it('that announces more than it sends, or leaves, costs nobody else anything', async () => {
    for (const url of [alone.url, server.url]) {
      const { hostname, port } = new URL(url);
      for (let n = 0; n < 20; n++) {
        const socket = connect(Number(port), hostname);
        await once(socket, 'connect');
        const body = requestBody([FILE]);
        socket.write(
          `POST /echo HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: ${RELATED}\r\nContent-Length: ${body.length + 1000}\r\n\r\n`,
        );
        socket.write(body);
        socket.destroy();
      }
      const many = await Promise.all(
        Array.from({ length: 12 }, () => ask(url, '/echo', { body: requestBody([FILE]) })),
      );
      expect(many.map(({ status }) => status)).toEqual(Array(12).fill(200));
    }
  });
});
