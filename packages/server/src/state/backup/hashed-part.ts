/** Bytes on their way into the backup, counted and hashed. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Part } from './manifest.js';

/** Adds the part to `parts` when its last byte has been read. */
export function hashedPart(bytes: AsyncIterable<Uint8Array>, name: string, parts: Part[]): Readable {
  const hash = createHash('sha256');
  let count = 0;
  return Readable.from(
    (async function* () {
      for await (const piece of bytes) {
        hash.update(piece);
        count += piece.byteLength;
        yield piece;
      }
      parts.push({ name, bytes: count, sha256: hash.digest('hex') });
    })(),
    { objectMode: false },
  );
}
