/** All regular files below a folder, in an order that does not depend on the file system. Links are not followed. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveError } from './archive-error.js';
import { isLitter } from './entry-name.js';
import type { IntakeLimits } from './limits.js';
import { type ByteSource, fileSource, mapConcurrently, unreadable } from './source.js';

/** Deeper than any study tree; a loop of mounts would otherwise never end. */
const MAX_DEPTH = 32;

export interface FolderListing {
  readonly sources: ByteSource[];
  /** Links, sockets, devices and litter, which were left out. */
  readonly ignored: number;
}

export async function listFolder(root: string, limits: IntakeLimits): Promise<FolderListing> {
  const found: string[] = [];
  let ignored = 0;
  const walk = async (relative: string, depth: number): Promise<void> => {
    const entries = await readdir(join(root, relative), { withFileTypes: true }).catch((cause) => {
      throw unreadable(cause);
    });
    for (const entry of entries) {
      const name = relative ? `${relative}/${entry.name}` : entry.name;
      if (entry.isDirectory() && depth < MAX_DEPTH) await walk(name, depth + 1);
      else if (entry.isFile() && !isLitter(name)) found.push(name);
      else ignored++;
      if (found.length > limits.maxFiles)
        throw new ArchiveError('too-many-entries', `The folder has more than ${limits.maxFiles} files`, {
          next: 'Name the folder of one study, or raise the limit maxFiles.',
        });
    }
  };
  await walk('', 0);
  found.sort((a, b) => (a < b ? -1 : 1));
  const sources = await mapConcurrently(found, async (name) => {
    const path = join(root, name);
    const { size } = await lstat(path).catch((cause) => {
      throw unreadable(cause);
    });
    if (size > limits.maxEntryBytes)
      throw new ArchiveError('entry-too-large', `A file has ${size} bytes`, {
        next: `At most ${limits.maxEntryBytes} are allowed.`,
      });
    return fileSource(path, size, name);
  });
  if (sources.length === 0)
    throw new ArchiveError('empty-folder', 'The folder holds no files', {
      next: ignored > 0 ? 'Links are not followed: name the folder they point to.' : 'Check the path.',
    });
  return { sources, ignored };
}
