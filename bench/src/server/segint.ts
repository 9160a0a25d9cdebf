/**
 * SegInt-R, from the POST of a volume to its fetched mask, as its workstation does it: one protobuf message, polls of the progress, the
 * result. Arguments: width, height, depth, rounds, who, Python interpreter. `seconds` is the median round; the first does not count.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { benchFolder } from '../peers.js';
import { startIsocenter } from './isocenter.js';
import { median, megabytes, milliseconds, print } from './printed.js';
import { memoryOf, watchMemory } from './process-memory.js';
import { freePort, inFolder, isOk, type Served, startProgram, until } from './served.js';

const [width, height, depth, rounds] = process.argv.slice(2, 6).map(Number);
const [who, python] = process.argv.slice(6);
const MODEL = '/api/v2/Model/Centered%20Orange%20Square/segmentation';
const TYPE = 'application/x-protobuf';
const POLL_MS = 10;
const LONGEST_MS = 300_000;

await inFolder(async (folder) => {
  const message = inputMessage();
  const server = who === 'isocenter' ? await startIsocenter(join(folder, 'home')) : await startDjango(folder);
  const headers = { ...server.headers, accept: TYPE };
  const ask = async (path: string, body?: Uint8Array<ArrayBuffer>): Promise<Buffer> => {
    const answer = await fetch(`${server.url}${MODEL}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: body ? { ...headers, 'content-type': TYPE } : headers,
      ...(body ? { body } : {}),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${bytes.toString('latin1').slice(0, 200)}`);
    return bytes;
  };
  const round = async () => {
    const from = performance.now();
    const id = part(await ask('', message), 1).toString();
    const posted = performance.now();
    // Progress 100 is two bytes: field 1, a hundred.
    while (!(await ask(`/${id}`)).equals(Buffer.from([0x08, 100]))) {
      if (performance.now() - from > LONGEST_MS) throw new Error('the segmentation did not end');
      await sleep(POLL_MS);
    }
    const done = performance.now();
    const result = await ask(`/${id}/result`);
    return { result, total: performance.now() - from, post: posted - from, wait: done - posted };
  };
  try {
    let last = await round();
    const before = memoryOf(server.roots);
    const watch = watchMemory(server.roots);
    const all: (typeof last)[] = [];
    for (let n = 0; n < rounds; n++) {
      last = await round();
      all.push(last);
    }
    const peakBytes = watch.stop();
    const volume = part(part(last.result, 1), 2);
    const mask = gunzipSync(part(volume, 4));
    print({
      seconds: median(all.map(({ total }) => total)) / 1000,
      peakBytes,
      check: { voxels: mask.length, marked: mask.reduce((sum, value) => sum + value, 0) },
      figures: [
        `POST ${milliseconds(median(all.map(({ post }) => post)))}, until 100 ${milliseconds(median(all.map(({ wait }) => wait)))}`,
        `message ${megabytes(message.length)}, result ${last.result.length} bytes`,
        `memory before ${megabytes(before)}`,
      ],
    });
  } finally {
    await server.stop();
  }
});
process.exit(0);

async function startDjango(folder: string): Promise<Served> {
  if (python === undefined) throw new Error(`${who} needs a Python interpreter`);
  const stored = join(folder, 'stored');
  mkdirSync(stored);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const schema = fileURLToPath(new URL('../packages/server/src/registry/segint/proto', `file://${benchFolder}/`));
  const program = startProgram([python, join(benchFolder, 'peers/segint_django.py'), String(port), stored, schema]);
  await until(program, () => isOk(`${url}/ping`));
  return { url, roots: [program.pid], headers: {}, stored, stop: () => program.stop() };
}

/** A CT-like disc with noise: it packs to less than half, as real ones do. */
function inputMessage(): Uint8Array<ArrayBuffer> {
  const voxels = new Int16Array(width * height * depth);
  let state = 12_345;
  for (let n = 0; n < voxels.length; n++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    const x = (n % width) - width / 2;
    const y = (Math.floor(n / width) % height) - height / 2;
    voxels[n] = x * x + y * y < (width * height) / 6 ? 40 + ((state >>> 20) & 63) : -1000 + ((state >>> 24) & 15);
  }
  const volume = field(
    1,
    width,
    field(2, height, field(3, depth)),
    gzipSync(Buffer.from(voxels.buffer), { level: 1 }),
    4,
  );
  const input = bytesField(2, Buffer.concat([bytesField(1, Buffer.from('1')), bytesField(2, bytesField(2, volume))]));
  return Uint8Array.from(input);
}

/** Numbers as varints, one after the other, then a part of bytes. */
function field(number: number, value: number, rest: Buffer = Buffer.alloc(0), data?: Buffer, dataNumber = 0): Buffer {
  const head = Buffer.concat([varint(number << 3), varint(value), rest]);
  return data ? Buffer.concat([head, bytesField(dataNumber, data)]) : head;
}

function bytesField(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest < 128 ? 0 : 0x80));
    if (rest < 128) return Buffer.from(bytes);
  }
}

/** Content of the first part with this number. */
function part(message: Buffer, wanted: number): Buffer {
  for (let at = 0; at < message.length; ) {
    const read = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = message[at++];
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    };
    const tag = read();
    const length = read();
    if ((tag & 7) !== 2) continue;
    if (tag >> 3 === wanted) return message.subarray(at, at + length);
    at += length;
  }
  throw new Error(`the message has no part ${wanted}`);
}
