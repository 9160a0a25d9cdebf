/** Unpacking under a cap that zlib itself enforces: no more bytes than announced are ever produced. */
import { constants, createInflateRaw, gunzip, inflateRaw } from 'node:zlib';

/**
 * Output room beyond the announced size. With one spare byte or more, zlib ends in its first output block, so Node
 * returns that block itself instead of joining several (which would copy the volume once more).
 */
const SPARE = 64;

/** Raw deflate data that must become exactly `size` bytes; more fails with ERR_BUFFER_TOO_LARGE. Runs on libuv's pool. */
export function inflateExactly(packed: Uint8Array, size: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { chunkSize: size + SPARE, maxOutputLength: Math.max(size, 1) };
    inflateRaw(packed, options, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** A gzip file (all members) of at most `cap` bytes; `hint` is the announced size, used for the first block only. */
export function gunzipCapped(packed: Uint8Array, hint: number, cap: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunkSize = Math.max(1 << 16, Math.min(hint, cap) + SPARE);
    gunzip(packed, { chunkSize, maxOutputLength: cap }, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** The first at most `count` bytes that `packed` (the start of a raw deflate stream) holds; never more are produced. */
export function inflateStart(packed: Uint8Array, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The least block that zlib accepts.
    const stream = createInflateRaw({ chunkSize: Math.max(64, count), finishFlush: constants.Z_SYNC_FLUSH });
    stream.once('data', (chunk: Buffer) => {
      resolve(chunk.subarray(0, count));
      stream.destroy();
    });
    stream.once('error', reject);
    stream.once('end', () => resolve(Buffer.alloc(0)));
    stream.end(packed);
  });
}
