/** The bytes of a result as they go out: the stored message as it is, or its JSON with base64 made on the way. */
import type { Blobs } from '../../blobs/blobs.js';
import type { OutputPlan } from './output-message.js';

/** Bytes that base64 turns into whole groups of letters. */
const GROUP = 3;

export function jsonBytes({ texts, data }: OutputPlan): number {
  const letters = data.reduce((sum, { length }) => sum + 4 * Math.ceil(length / GROUP), 0);
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), letters);
}

export async function* jsonResult(
  blobs: Pick<Blobs, 'open'>,
  blobId: string,
  { texts, data }: OutputPlan,
): AsyncGenerator<Buffer, void, void> {
  for (const [n, text] of texts.entries()) {
    yield Buffer.from(text);
    const extent = data[n];
    if (!extent || extent.length === 0) continue;
    const { stream } = await blobs.open(blobId, { first: extent.at, last: extent.at + extent.length - 1 });
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const bytes = Buffer.concat([rest, chunk]);
      const whole = bytes.length - (bytes.length % GROUP);
      rest = bytes.subarray(whole);
      if (whole > 0) yield Buffer.from(bytes.toString('base64', 0, whole));
    }
    if (rest.length > 0) yield Buffer.from(rest.toString('base64'));
  }
}

export async function* binaryResult(blobs: Pick<Blobs, 'open'>, blobId: string): AsyncGenerator<Buffer, void, void> {
  const { stream } = await blobs.open(blobId);
  yield* stream as AsyncIterable<Buffer>;
}

/** Says when the last bytes were taken by whoever sends them. */
export async function* withLast(bytes: AsyncIterable<Buffer>, last: () => void): AsyncGenerator<Buffer, void, void> {
  yield* bytes;
  last();
}
