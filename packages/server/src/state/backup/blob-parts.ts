/** One blob in parts of 64 MB, because archives are read back part by part in memory. */
import { createHash } from 'node:crypto';
import type { ZipStreamed } from '@isocenter/formats';
import type { BackupBlob, BlobSource } from './backup-blobs.js';
import { hashedPart } from './hashed-part.js';
import type { BlobEntry, Manifest } from './manifest.js';

const PART_BYTES = 64 * 2 ** 20;

/** The blob is entered in the manifest after its last part: as stored, missing or damaged. */
export function blobParts(blob: BackupBlob, source: BlobSource, manifest: Manifest): ZipStreamed[] {
  const entry: BlobEntry = { ...blob, parts: [] };
  const parts = Math.max(1, Math.ceil(blob.bytes / PART_BYTES));
  const whole = createHash('sha256');
  let reader: AsyncIterator<Uint8Array> | undefined;
  let rest: Uint8Array = new Uint8Array(0);
  let read = 0;
  /** The next at most `wanted` bytes. */
  async function* next(wanted: number, last: boolean): AsyncGenerator<Uint8Array> {
    for (let left = wanted; reader && left > 0; ) {
      if (rest.byteLength === 0) {
        const { done, value } = await reader.next();
        if (done) break;
        rest = value;
      }
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.byteLength);
      left -= piece.byteLength;
      read += piece.byteLength;
      whole.update(piece);
      yield piece;
    }
    if (!last) return;
    if (reader === undefined) manifest.missing.push(blob.id);
    else if (read !== blob.bytes || rest.byteLength > 0 || whole.digest('hex') !== blob.sha256)
      manifest.damaged.push(blob.id);
    else manifest.blobs.push(entry);
  }
  return Array.from({ length: parts }, (_, index) => {
    const name = `blobs/${blob.id}/${String(index).padStart(6, '0')}`;
    return {
      name,
      // Weights, results and exports are compressed already, or are floats that do not pack.
      compress: false,
      open: async () => {
        if (index === 0) reader = (await source.open(blob))?.[Symbol.asyncIterator]();
        return hashedPart(next(PART_BYTES, index === parts - 1), name, entry.parts);
      },
    };
  });
}
