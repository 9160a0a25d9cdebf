/** The bytes of a result as they go out: the stored message as it is, or its JSON with base64 made on the way. */
import { createReadStream } from 'node:fs';
import type { OutputPlan } from './output-message.js';

/** Bytes that base64 turns into whole groups of letters. */
const GROUP = 3;
const CHUNK = 256 * 1024;

export function jsonBytes({ texts, data }: OutputPlan): number {
  const letters = data.reduce((sum, { length }) => sum + 4 * Math.ceil(length / GROUP), 0);
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), letters);
}

/** `path`: of the stored message. */
export async function* jsonResult(path: string, { texts, data }: OutputPlan): AsyncGenerator<Buffer, void, void> {
  for (const [n, text] of texts.entries()) {
    yield Buffer.from(text);
    const extent = data[n];
    if (!extent || extent.length === 0) continue;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of bytesOf(path, { start: extent.at, end: extent.at + extent.length - 1 })) {
      const bytes = Buffer.concat([rest, chunk]);
      const whole = bytes.length - (bytes.length % GROUP);
      rest = bytes.subarray(whole);
      if (whole > 0) yield Buffer.from(bytes.toString('base64', 0, whole));
    }
    if (rest.length > 0) yield Buffer.from(rest.toString('base64'));
  }
}

export function bytesOf(
  path: string,
  range: { readonly start?: number; readonly end?: number } = {},
): AsyncIterable<Buffer> {
  return createReadStream(path, { ...range, highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
}

/** Says before the last of `total` bytes goes out that it does. */
export async function* withLast(
  bytes: AsyncIterable<Buffer>,
  total: number,
  last: () => void,
): AsyncGenerator<Buffer, void, void> {
  let sent = 0;
  for await (const chunk of bytes) {
    sent += chunk.length;
    if (sent >= total) last();
    yield chunk;
  }
}
