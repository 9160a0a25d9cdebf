/**
 * POST of zips until each is acknowledged. Arguments: bytes of a zip, at once, rounds, who, Python interpreter. `seconds` is the median
 * round. Afterwards the bytes on the disk are hashed: what was acknowledged must be there, and be what was sent.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream, createWriteStream, readdirSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startContender } from './contender.js';
import { median, megabytes, print } from './printed.js';
import { memoryOf, watchMemory } from './process-memory.js';
import { inFolder } from './served.js';

const [bytes, atOnce, rounds] = process.argv.slice(2, 5).map(Number);
const [who, python] = process.argv.slice(5);
const CHUNK = 2 ** 20;
const ACCEPTED = 202;

await inFolder(async (folder) => {
  const zip = join(folder, 'study.zip');
  const sha256 = await writeZipLike(zip);
  const server = await startContender(who, python, folder);
  const agent = new Agent({ keepAlive: true });
  try {
    await post(server.upload, server.headers, zip, agent);
    const before = memoryOf(server.roots);
    const watch = watchMemory(server.roots);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const from = performance.now();
      await Promise.all(Array.from({ length: atOnce }, () => post(server.upload, server.headers, zip, agent)));
      times.push(performance.now() - from);
    }
    const peakBytes = watch.stop();
    const after = memoryOf(server.roots);
    const seconds = median(times) / 1000;
    print({
      seconds,
      peakBytes,
      check: await storedIn(server.stored, sha256),
      figures: [
        `${Math.round((bytes * atOnce) / seconds / 2 ** 20)} MB/s`,
        `memory before ${megabytes(before)}, after ${rounds} rounds ${megabytes(after)}`,
      ],
    });
  } finally {
    agent.destroy();
    await server.stop();
  }
});
process.exit(0);

/** Neither side looks into it before it is acknowledged: the signature of a zip, then noise. */
async function writeZipLike(path: string): Promise<string> {
  const hash = createHash('sha256');
  function* chunks() {
    for (let at = 0; at < bytes; at += CHUNK) {
      const chunk = randomFillSync(Buffer.alloc(Math.min(CHUNK, bytes - at)));
      if (at === 0) chunk.write('PK\x03\x04', 'latin1');
      hash.update(chunk);
      yield chunk;
    }
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path));
  return hash.digest('hex');
}

function post(url: string, headers: Readonly<Record<string, string>>, path: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-type': 'application/zip', 'content-length': bytes },
    });
    call.once('error', reject);
    call.once('response', (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      answer.once('end', () =>
        answer.statusCode === ACCEPTED ? resolve() : reject(new Error(`${answer.statusCode}: ${text.slice(0, 200)}`)),
      );
    });
    createReadStream(path, { highWaterMark: CHUNK }).once('error', reject).pipe(call);
  });
}

/** How many files of that length and content there are below `folder`. */
async function storedIn(folder: string, sha256: string): Promise<unknown> {
  let whole = 0;
  let other = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || statSync(path).size < Math.min(bytes, CHUNK)) continue;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) hash.update(chunk as Buffer);
    if (hash.digest('hex') === sha256) whole++;
    else other++;
  }
  return { whole, other };
}
