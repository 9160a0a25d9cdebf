/**
 * Blobs as files (@port BlobStore): written under a temporary name, flushed, renamed, and the folder flushed, so that a
 * name stands for whole bytes whatever dies when. Two processes may share the folder. All is ours alone: 0600, 0700.
 *
 *   <folder>/objects/<key>.blob    the suffix lets `a` and `a/b` both be keys
 *   <folder>/incoming/<mark>-<id>  half-written; see temporary-folder.ts
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { badRange, notFound } from './blob-error.js';
import {
  type BlobInfo,
  type BlobKey,
  type BlobStore,
  type ByteRange,
  blobKey,
  checkRange,
  isBlobKey,
  type PutOptions,
} from './blob-store.js';
import { fileError, isMissing } from './file-error.js';
import { MeasuredSource } from './measured-source.js';
import { TemporaryFolder } from './temporary-folder.js';

const SUFFIX = '.blob';
/** Bytes of one write. Larger ones gain nothing that can be measured, and every upload holds two. */
const WRITE_BLOCK = 256 * 1024;
/** Taken from a source and possibly not yet written: disk-space.ts keeps its claim on so much. */
export const WRITTEN_BEHIND = 2 * WRITE_BLOCK;
/** Four times Node's default: fewer turns of the event loop per byte. */
const READ_AHEAD = 256 * 1024;

/** Throws BlobError `store-refused` or `no-space` when the folder cannot be made. */
export async function openFileStore(folder: string): Promise<BlobStore> {
  const root = resolve(folder);
  try {
    const incoming = await TemporaryFolder.open(join(root, 'incoming'));
    await mkdir(join(root, 'objects'), { recursive: true, mode: 0o700 });
    return new FileStore(join(root, 'objects'), incoming);
  } catch (error) {
    throw fileError(error);
  }
}

class FileStore implements BlobStore {
  readonly kind = 'file';
  readonly #objects: string;
  readonly #incoming: TemporaryFolder;

  constructor(objects: string, incoming: TemporaryFolder) {
    this.#objects = objects;
    this.#incoming = incoming;
  }

  localPath(key: BlobKey): string {
    return join(this.#objects, `${blobKey(key)}${SUFFIX}`);
  }

  async put(key: BlobKey, source: AsyncIterable<Uint8Array>, options?: PutOptions) {
    const place = this.localPath(key);
    const measured = new MeasuredSource(source, options);
    const temporary = this.#incoming.claim();
    let renamed = false;
    try {
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await fill(handle, measured);
        await handle.sync();
      } finally {
        await handle.close();
      }
      const result = measured.finish();
      await makeDurableFolder(dirname(place));
      await rename(temporary, place);
      renamed = true;
      await syncFolder(dirname(place));
      this.#incoming.forget(temporary);
      return result;
    } catch (error) {
      // Left behind when even this fails: `removeUnfinished` of any process finds it.
      await this.#incoming.remove(temporary).catch(() => undefined);
      if (renamed) await unlink(place).catch(() => undefined);
      throw measured.failure ? measured.failure.error : fileError(error);
    }
  }

  async get(key: BlobKey, range?: ByteRange): Promise<Readable> {
    const place = this.localPath(key);
    checkRange(range);
    try {
      const handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        const { size } = await handle.stat();
        if (range && range.first >= size) throw badRange(size);
        const part = range ? { start: range.first, end: Math.min(range.last, size - 1) } : {};
        return handle.createReadStream({ ...part, highWaterMark: READ_AHEAD });
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw isMissing(error) ? notFound() : fileError(error);
    }
  }

  async head(key: BlobKey): Promise<BlobInfo | undefined> {
    const place = this.localPath(key);
    try {
      const { size, mtime } = await stat(place);
      return Object.freeze({ key, bytes: size, modifiedAt: mtime });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw fileError(error);
    }
  }

  list(prefix: string): AsyncIterable<BlobInfo> {
    return this.#walk('', prefix);
  }

  async *#walk(parent: string, prefix: string): AsyncGenerator<BlobInfo> {
    const entries = await readdir(join(this.#objects, parent), { withFileTypes: true }).catch((error) => {
      if (isMissing(error)) return [];
      throw fileError(error);
    });
    // A folder sorts as its name with the slash: `a-b` stands before `a/b`, which stands before `a0`.
    const names = entries
      .filter((entry) => entry.isDirectory() || entry.name.endsWith(SUFFIX))
      .map((entry) => parent + (entry.isDirectory() ? `${entry.name}/` : entry.name.slice(0, -SUFFIX.length)))
      .sort((a, b) => (a < b ? -1 : 1));
    for (const name of names) {
      if (name.endsWith('/')) {
        if (name.startsWith(prefix) || prefix.startsWith(name)) yield* this.#walk(name, prefix);
      } else if (name.startsWith(prefix) && isBlobKey(name)) {
        const info = await this.head(name);
        if (info) yield info;
      }
    }
  }

  async delete(key: BlobKey): Promise<void> {
    const place = this.localPath(key);
    try {
      await unlink(place);
      // Or a power cut brings erased images back.
      await syncFolder(dirname(place));
    } catch (error) {
      if (!isMissing(error)) throw fileError(error);
    }
  }

  async freeBytes(): Promise<number> {
    try {
      const { bavail, bsize } = await statfs(this.#incoming.path);
      return bavail * bsize;
    } catch (error) {
      throw fileError(error);
    }
  }

  async removeUnfinished(): Promise<number> {
    try {
      return await this.#incoming.removeDead();
    } catch (error) {
      throw fileError(error);
    }
  }
}

/**
 * Two blocks in turn: one is filled and hashed while the disk takes the other. Copying costs less than the many small
 * writes that it saves (100 MB: 270 ms of processor against 450, all included), and a million chunks of one byte hold no more than large ones.
 */
async function fill(handle: FileHandle, source: MeasuredSource): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  let block = new Uint8Array(WRITE_BLOCK);
  let spare: Uint8Array<ArrayBuffer> | undefined;
  let held = 0;
  const flush = async () => {
    await writing;
    const full = block.subarray(0, held);
    writing = writeAll(handle, full);
    // Its failure is told by the next flush; until then it is nobody's unhandled one.
    writing.catch(() => undefined);
    source.hash(full);
    [block, spare] = [spare ?? new Uint8Array(WRITE_BLOCK), block];
    held = 0;
  };
  try {
    for await (const chunk of source.chunks()) {
      for (let taken = 0; taken < chunk.byteLength; ) {
        const part = chunk.subarray(taken, taken + WRITE_BLOCK - held);
        block.set(part, held);
        held += part.byteLength;
        taken += part.byteLength;
        if (held === WRITE_BLOCK) await flush();
      }
    }
    await flush();
  } finally {
    // Also after a failure of the source: the file may not be closed under a write.
    await writing;
  }
}

/** One call may write less than asked: the rest of a disk that then says ENOSPC. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await handle.write(bytes, done, bytes.byteLength - done)).bytesWritten;
  }
}

/** A folder that was made just now must itself be written down in its parent. */
async function makeDurableFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await syncFolder(dirname(folder));
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
