/** The objects of a file store as they lie on the disk, each hashed anew. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { StoredObject } from './evidence.js';

const SUFFIX = '.blob';

export async function storedObjects(home: string): Promise<readonly StoredObject[]> {
  const folder = join(home, 'blobs', 'objects');
  const objects: StoredObject[] = [];
  for (const path of await filesBelow(folder)) {
    const bytes = await readFile(path);
    objects.push({
      key: relative(folder, path).slice(0, -SUFFIX.length),
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  }
  return objects;
}

/** Regular files and sockets, with their whole paths. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
}
