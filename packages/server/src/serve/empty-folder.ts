/** Temporary files of a server that was killed: whoever holds the lock of the data directory may remove them all. */
import { mkdir, rm } from 'node:fs/promises';

export async function emptyFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true, mode: 0o700 });
}
