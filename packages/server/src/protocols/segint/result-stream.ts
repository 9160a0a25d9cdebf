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

/**
 * Says before the last of `total` bytes goes out that it does, and ends with it in the same turn: a client that hangs up as soon as
 * it has all of them must not be earlier than the end of the answer.
 */
export async function* withLast(
  bytes: AsyncIterable<Buffer>,
  total: number,
  last: () => void,
): AsyncGenerator<Buffer, void, void> {
  const source = bytes[Symbol.asyncIterator]();
  let sent = 0;
  try {
    for (let next = await source.next(); !next.done; next = await source.next()) {
      sent += next.value.length;
      if (sent >= total) last();
      yield next.value;
      if (sent >= total) return;
    }
  } finally {
    // Not waited for: a file is closed, whenever that may be.
    void source.return?.()?.catch(() => undefined);
  }
}
