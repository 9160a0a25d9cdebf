/**
 * A vendor's download as our stream: its errors in our words, an end before the last byte is one, and nobody has to have
 * begun to read for `destroy` to close the connection.
 */
import { Readable } from 'node:stream';
import { badRange } from './blob-error.js';
import type { ByteRange } from './blob-store.js';
import { cloudError, type Vendor } from './cloud-error.js';

export function guardedStream(vendor: Vendor, source: Readable, expectedBytes: number | undefined): Readable {
  const stream = Readable.from(chunks(), { objectMode: false });
  stream.once('close', () => source.destroy());
  // Until the reader comes, an error must wait for it, not end the process.
  source.on('error', () => undefined);
  return stream;

  async function* chunks() {
    let seen = 0;
    try {
      for await (const chunk of source) {
        seen += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw cloudError(vendor, error);
    }
    if (expectedBytes !== undefined && seen !== expectedBytes) {
      throw cloudError(vendor, { code: 'EndedEarly' });
    }
  }
}

/** Some servers answer a range with all, or with another; those bytes must not pass for what was asked. */
export function checkAnswer(
  vendor: Vendor,
  body: Readable,
  range: ByteRange | undefined,
  contentRange: string | undefined,
) {
  if (!range) return;
  const [, first, last, total] = /^bytes (\d+)-(-?\d+)\/(\d+)$/.exec(contentRange ?? '') ?? [];
  const outside = range.first >= Number(total);
  if (!outside && Number(first) === range.first && Number(last) === Math.min(range.last, Number(total) - 1)) return;
  body.on('error', () => undefined).destroy();
  if (outside) throw badRange(Number(total));
  throw cloudError(vendor, { code: 'WrongRange' });
}
