/**
 * Gzip on all cores: each block becomes its own piece of one deflate stream (ended by a sync flush, so pieces can be
 * joined), which costs about 0.1 % of size. No time stamp and no file name: the same content gives the same bytes.
 */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { mapConcurrently } from '../intake/source.js';

const deflate = promisify(deflateRaw) as (bytes: Uint8Array, options: object) => Promise<Buffer>;

/** Large enough that a lost 32 KiB window per block does not show in the size, small enough for four cores to share. */
const BLOCK_BYTES = 4 * 1024 * 1024;
/** RFC 1952 2.3: magic, deflate, no flags, time 0, "fastest", system unknown. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]);

/** One gzip member of all `parts` in order. Level 1 by default: three times as fast as 6 for 3 % more bytes on CT. */
export async function gzipParts(parts: readonly Uint8Array[], level = 1): Promise<Buffer> {
  const blocks = parts.flatMap(split);
  let checksum = 0;
  let size = 0;
  const pieces = await mapConcurrently(blocks, (block, index) => {
    const last = index === blocks.length - 1;
    return deflate(block, { level, finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH });
  });
  for (const block of blocks) {
    checksum = crc32(block, checksum);
    size += block.length;
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum >>> 0, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  return Buffer.concat([HEADER, ...pieces, trailer]);
}

function split(part: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < part.byteLength; at += BLOCK_BYTES) blocks.push(part.subarray(at, at + BLOCK_BYTES));
  return blocks;
}
