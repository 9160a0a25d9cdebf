/** Where instances come from, and how several are read at a time without holding all of them. */
import type { Watch } from '@isocenter/volume';

/** One file, zip entry or upload part. The name serves messages only: no result depends on it or on the order of sources. */
export interface InstanceSource {
  readonly name: string;
  /** Bytes when read whole (a zip entry's inflated size). */
  readonly size: number;
  /** The first bytes, at most this many; shorter only when the source is shorter. */
  prefix(bytes: number): Promise<Uint8Array>;
  /** All bytes, checked (CRC). They are not written to. */
  read(): Promise<Uint8Array>;
}

/** Reads in flight: enough to keep the four threads of libuv's pool inflating while the event loop parses. */
export const READS_IN_FLIGHT = 4;

/**
 * Runs `work` over all items, at most `limit` at a time, in order of start. The first failure stops new work, waits for
 * what runs, and is thrown; so is the abort of `watch.signal`, checked before each item.
 */
export async function forEachConcurrently<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, index: number) => Promise<void>,
  watch?: Watch,
  step = '',
): Promise<void> {
  let next = 0;
  let done = 0;
  let failed = false;
  let failure: unknown;
  const lane = async () => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        watch?.signal?.throwIfAborted();
        await work(items[index], index);
        watch?.progress?.(++done, items.length, step);
      } catch (error) {
        if (!failed) failure = error;
        failed = true;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failed) throw failure;
  watch?.signal?.throwIfAborted();
}
