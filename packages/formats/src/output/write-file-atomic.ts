/** A file that is there whole or not at all: written beside its place, forced to the disk, then renamed. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { outputError } from './output-error.js';

/** `bytes` in one or several parts, one after the other. Replaces what is there. Throws OutputError; then nothing has changed. */
export async function writeFileAtomic(path: string, bytes: Uint8Array | readonly Uint8Array[]): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
  try {
    await writeDurably(temporary, bytes);
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw outputError(cause);
  }
}

/** Creates `path`, which must not exist, and returns when the disk has it. */
export function writeDurably(path: string, bytes: Uint8Array | readonly Uint8Array[]): Promise<void> {
  return writeNew(path, bytes, true);
}

/** Creates `path`, which must not exist; `durable`: returns when the disk has it, not only the system. */
export async function writeNew(
  path: string,
  bytes: Uint8Array | readonly Uint8Array[],
  durable: boolean,
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) await writeAll(file, part);
    if (durable) await file.sync();
  } finally {
    await file.close();
  }
}

/** One call of the operating system writes at most 2^31 - 1 bytes, and may write fewer. */
const MAX_WRITE_BYTES = 1 << 30;

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; )
    done += (await file.write(bytes, done, Math.min(MAX_WRITE_BYTES, bytes.byteLength - done))).bytesWritten;
}

/** Makes the rename itself durable; Windows cannot open folders, and there the file system does it alone. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
