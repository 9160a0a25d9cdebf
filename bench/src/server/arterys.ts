/**
 * Arterys requests to a server that draws the mock's growing block. Arguments: slices of 512 × 512, clients, rounds (requests of
 * each client), who (isocenter, flask), Python interpreter; `ping` in place of slices: GET /ping over 32 connections for `rounds`
 * seconds. `seconds` is the time of one request at that load, memory that of the server.
 */
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePhantom } from '@isocenter/engine';
import { benchFolder } from '../peers.js';
import { load } from './load.js';
import { megabytes, milliseconds, print, quantile } from './printed.js';
import { memoryOf, watchMemory } from './process-memory.js';
import { freePort, isOk, startProgram, until } from './served.js';

const [what, clients, rounds] = process.argv.slice(2, 5);
const [who, python] = process.argv.slice(5);
const B = '0123456789abcdef0123456789abcdef';
const COLUMNS = 512;
const CONNECTIONS = 32;

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const mock = fileURLToPath(new URL('../../../examples/arterys/mock-server.mjs', import.meta.url));
const command =
  who === 'isocenter'
    ? [process.execPath, mock, '-s3D', '--port', String(port)]
    : [python, join(benchFolder, 'peers/arterys_flask.py'), String(port)];
const program = startProgram(command, { cwd: benchFolder, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } });
try {
  await until(program, () => isOk(`${url}/ping`));
  if (what === 'ping') await pings(Number(rounds));
  else await inferences(Number(what), Number(clients), Number(rounds));
} finally {
  await program.stop();
}
process.exit(0);

async function pings(seconds: number): Promise<void> {
  const wish = { url: `${url}/ping`, headers: {}, connections: CONNECTIONS };
  await load({ ...wish, seconds: Math.min(1, seconds) });
  const watch = watchMemory([program.pid]);
  const { perSecond, failures, p99Ms, tool } = await load({ ...wish, seconds });
  if (failures > 0) throw new Error(`${failures} requests failed`);
  const figures = [`${Math.round(perSecond)}/s`, `p99 ${milliseconds(p99Ms)}`, tool];
  print({ seconds: 1 / perSecond, peakBytes: watch.stop(), check: { status: 200 }, figures });
}

async function inferences(slices: number, atOnce: number, each: number): Promise<void> {
  const body = await requestOf(slices);
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const check = contentOf(await post(body, agent));
  const before = memoryOf([program.pid]);
  const watch = watchMemory([program.pid]);
  const times: number[] = [];
  const from = performance.now();
  const client = async () => {
    for (let n = 0; n < each; n++) {
      const start = performance.now();
      await post(body, agent);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  const seconds = (performance.now() - from) / 1000 / times.length;
  const peakBytes = watch.stop();
  agent.destroy();
  print({
    seconds,
    peakBytes,
    check,
    figures: [
      `${(1 / seconds).toFixed(1)}/s`,
      `median ${milliseconds(quantile(times, 0.5))}, p95 ${milliseconds(quantile(times, 0.95))}`,
      `request ${megabytes(body.length)}, memory before ${megabytes(before)}`,
    ],
  });
}

/** The wire form of upstream's test tool. */
async function requestOf(slices: number): Promise<Buffer> {
  const { files } = await makePhantom({ kind: 'head', size: [COLUMNS, COLUMNS, slices] });
  const part = (name: string, type: string, bytes: Uint8Array) => [
    Buffer.from(
      `--${B}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ];
  return Buffer.concat([
    ...part('request_json', 'text/json', Buffer.from('{"studyUID": "1.2.3"}')),
    ...files.flatMap(({ bytes }, n) => part(String(n + 1), 'application/dicom', bytes)),
    Buffer.from(`--${B}--\r\n`),
  ]);
}

function post(body: Buffer, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': `multipart/related; boundary="${B}"`, 'content-length': body.length };
    const call = request(url, { method: 'POST', agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () =>
        answer.statusCode === 200 ? resolve(Buffer.concat(chunks)) : reject(new Error(`status ${answer.statusCode}`)),
      );
    });
    call.once('error', reject);
    call.end(body);
  });
}

/** JSON and mask of the answer, whatever its boundary; the hashes part names both sides' input. */
function contentOf(answer: Buffer): unknown {
  const delimiter = answer.subarray(0, answer.indexOf('\r\n'));
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const next = answer.indexOf(delimiter, at + delimiter.length);
    if (next < 0) break;
    parts.push(answer.subarray(answer.indexOf('\r\n\r\n', at) + 4, next - 2));
    at = next;
  }
  const [json, mask, hashes] = parts as [Buffer, Buffer, Buffer];
  const sha256 = createHash('sha256').update(mask).digest('hex');
  return { json: JSON.parse(json.toString()) as unknown, mask: sha256, input: hashes.toString().slice(0, 64) };
}
