/**
 * Gzip on all cores: each block becomes its own piece of one deflate stream (ended by a sync flush, so pieces can be
 * joined), which costs about 0.1 % of size. Long runs of zeros, most of every mask, are deflated once for each length and
 * the piece used again. No time stamp and no file name: the same content gives the same bytes.
 */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { mapConcurrently } from '../intake/source.js';

const deflate = promisify(deflateRaw) as (bytes: Uint8Array, options: object) => Promise<Buffer>;

/** Large enough that a lost 32 KiB window per block does not show in the size, small enough for four cores to share. */
const BLOCK_BYTES = 4 * 1024 * 1024;
/** Zeros are looked for by so many at a time, and set apart where this many blocks of them follow each other. */
const GRANULE = 4096;
const SHORTEST_RUN = 16 * GRANULE;
/** As fast as 1 on zeros, and a fifth of the size. */
const ZEROS_LEVEL = 6;
/** RFC 1952 2.3: magic, deflate, no flags, time 0, "fastest", system unknown. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]);
/** RFC 1951 3.2.3 and 3.2.6: a last block with fixed codes that holds nothing but its end. */
const END = Buffer.from([0x03, 0x00]);

interface Block {
  readonly bytes: Uint8Array;
  readonly zeros: boolean;
}

/** One gzip member of all `parts` in order. Level 1 by default: three times as fast as 6 for 3 % more bytes on CT. */
export async function gzipParts(parts: readonly Uint8Array[], level = 1): Promise<Buffer> {
  const zeros = new Map<number, Promise<Buffer>>();
  const piece = (bytes: Uint8Array, how = level) => deflate(bytes, { level: how, finishFlush: constants.Z_SYNC_FLUSH });
  const pieces = await mapConcurrently(parts.flatMap(split), ({ bytes, zeros: empty }) => {
    if (!empty) return piece(bytes);
    const known = zeros.get(bytes.length) ?? piece(bytes, Math.max(level, ZEROS_LEVEL));
    zeros.set(bytes.length, known);
    return known;
  });
  let checksum = 0;
  let size = 0;
  for (const part of parts) {
    checksum = crc32(part, checksum);
    size += part.length;
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum >>> 0, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  return Buffer.concat([HEADER, ...pieces, END, trailer]);
}

function split(part: Uint8Array): Block[] {
  const blocks: Block[] = [];
  const cut = (from: number, to: number, zeros: boolean) => {
    for (let at = from; at < to; at += BLOCK_BYTES)
      blocks.push({ bytes: part.subarray(at, Math.min(to, at + BLOCK_BYTES)), zeros });
  };
  let done = 0;
  for (const [from, to] of runsOfZeros(part)) {
    cut(done, from, false);
    cut(from, to, true);
    done = to;
  }
  cut(done, part.length, false);
  return blocks;
}

const NOTHING = Buffer.alloc(GRANULE);

/** Long ones only, at whole granules. */
function* runsOfZeros(part: Uint8Array): Generator<readonly [from: number, to: number]> {
  let from = -1;
  for (let at = 0; at <= part.length; at += GRANULE) {
    const to = Math.min(at + GRANULE, part.length);
    // The first byte alone answers for most of what is not empty.
    const empty = at < to && part[at] === 0 && NOTHING.compare(part, at, to, 0, to - at) === 0;
    if (empty && from < 0) from = at;
    if (empty || from < 0) continue;
    if (at - from >= SHORTEST_RUN) yield [from, Math.min(at, part.length)];
    from = -1;
  }
  if (from >= 0 && part.length - from >= SHORTEST_RUN) yield [from, part.length];
}
