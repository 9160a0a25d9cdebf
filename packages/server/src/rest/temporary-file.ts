/** Files on this machine for the length of one request: uploads of models, exports, conversions. */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cancelled } from '../blobs/blob-error.js';
import type { DiskSpace } from '../blobs/disk-space.js';
import type { FileAnswer } from '../http/call.js';

/** An answer whose bytes nobody fetches is removed after this. */
const UNFETCHED_MS = 60_000;

export class TemporaryFile {
  readonly path: string;
  readonly #whenGone: () => void;

  /** `whenGone`: gives back what the file stood for; may be called again. */
  constructor(folder: string, whenGone: () => void = () => {}) {
    this.path = join(folder, randomUUID());
    this.#whenGone = whenGone;
  }

  /** Throws BlobError `no-space` before the disk's reserve is touched: the database may lie on the same disk. */
  async receive(source: AsyncIterable<Uint8Array>, space: DiskSpace, signal: AbortSignal): Promise<void> {
    const reservation = await space.reserve();
    try {
      await pipeline(reservation.meter(source), createWriteStream(this.path, { mode: 0o600 }), { signal });
    } catch (error) {
      // The client went: no defect of ours.
      throw signal.aborted ? cancelled() : error;
    } finally {
      reservation.release();
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
    this.#whenGone();
  }

  /** As an answer; the file goes when it was sent. */
  async answer(about: Pick<FileAnswer, 'mediaType' | 'fileName' | 'sha256'>): Promise<FileAnswer> {
    const { size } = await stat(this.path);
    const unfetched = setTimeout(() => void this.remove(), UNFETCHED_MS).unref();
    return {
      ...about,
      bytes: size,
      open: async (range): Promise<Readable> => {
        clearTimeout(unfetched);
        const stream = createReadStream(this.path, range ? { start: range.first, end: range.last } : {});
        stream.once('close', () => void this.remove());
        return stream;
      },
      dismiss: () => {
        clearTimeout(unfetched);
        void this.remove();
      },
    };
  }
}
