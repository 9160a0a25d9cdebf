/** Promise: the images of all requests in memory together have a limit, also those of which no part is whole yet. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AnswerThreads } from './answer-threads.js';
import { B, RELATED, requestBody } from './arterys.suite.js';
import { exchange } from './gateway.js';
import { HandlerAnswering, MemoryBudget } from './handler-route.js';
import { masksToAnswer } from './masks-to-answer.js';
import { readHead, readRequest } from './read-request.js';

const LIMIT = 1024 * 1024;
const log = { debug() {}, info() {}, warn() {}, error() {} };
const threads = new AnswerThreads({ atOnce: 1, waiting: 1, waitMs: 1, timeMs: 1, heapMegabytes: 1 });

/** A part that begins and goes on for ever; counts what was read of it. */
async function* endless(read: { bytes: number }): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`--${B}\r\n\r\n{}\r\n--${B}\r\n\r\n`);
  for (const piece = Buffer.alloc(64 * 1024, 1); ; read.bytes += piece.length) yield piece;
}

describe('the memory for images', () => {
  it('is full when a part is too long for it, not when the part has come whole', async () => {
    const budget = new MemoryBudget(LIMIT);
    const answering = new HandlerAnswering(threads, budget, new AbortController().signal);
    const read = { bytes: 0 };
    await expect(exchange({ contentType: RELATED, stream: endless(read), log }, answering)).rejects.toMatchObject({
      kind: 'busy',
    });
    expect(read.bytes).toBeLessThanOrEqual(LIMIT);
    expect(() => budget.take(LIMIT / 2)).toThrow(expect.objectContaining({ kind: 'busy' }));
    await answering.end();
    budget.take(LIMIT);
  });

  it('counts each part once, and no JSON', async () => {
    const held: number[] = [];
    const body = requestBody([Buffer.alloc(100_000, 7), Buffer.alloc(5, 9)]);
    const pieces = (async function* () {
      for (let at = 0; at < body.length; at += 999) yield body.subarray(at, at + 999);
    })();
    await readRequest(pieces, readHead(RELATED), { hold: (bytes) => held.push(bytes), take() {} });
    expect(held.reduce((sum, bytes) => sum + bytes, 0)).toBe(100_005);
  });
});

describe('one mask a structure', () => {
  it('is refused before a byte is taken where all of them together would fill the memory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isocenter-masks-'));
    try {
      const sent = Array.from({ length: 1000 }, (_, n) => `1.2.${n}`);
      const structures = Array.from({ length: 104 }, (_, n) => ({ file: `${n}.gz`, name: `s${n}`, voxels: 0, ml: 0 }));
      const slices = sent.map((SOPInstanceUID) => ({ SOPInstanceUID }));
      const table = JSON.stringify({ kind: 'masks', size: [512, 512, sent.length], slices, structures });
      await writeFile(join(folder, 'answer.masks.json'), table);
      const task = {
        folder,
        files: ['answer.masks.json'],
        model: 'many:1',
        sent,
        SeriesInstanceUID: '1.2',
        structures,
      };
      await expect(masksToAnswer({ ...task, output: 'boolean-mask' })).rejects.toMatchObject({
        kind: 'answer-too-large',
        next: expect.stringContaining('get-label-mask'),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
