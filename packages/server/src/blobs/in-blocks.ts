/** A source cut into the blocks in which vendors take large objects; each block is a buffer of its own, as it is still on its way when the next is filled. */
import type { MeasuredSource } from './measured-source.js';

/** Of one size, but for the last, which may be empty. */
export async function* inBlocks(source: MeasuredSource, size: number) {
  let block = Buffer.allocUnsafe(size);
  let held = 0;
  for await (const chunk of source.chunks()) {
    source.hash(chunk);
    for (let at = 0; at < chunk.byteLength; ) {
      if (held === size) {
        yield { block, last: false };
        block = Buffer.allocUnsafe(size);
        held = 0;
      }
      const part = chunk.subarray(at, at + size - held);
      block.set(part, held);
      held += part.byteLength;
      at += part.byteLength;
    }
  }
  yield { block: block.subarray(0, held), last: true };
}
