/** A bundle folder as a zip that is made while it is sent; names are kept, because a bundle refers to its files by name. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type ZipStreamed, zipStream } from '@isocenter/formats';

export async function* bundleZip(folder: string): AsyncGenerator<Uint8Array> {
  const contents: ZipStreamed[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    contents.push({
      name: relative(folder, path).split(sep).join('/'),
      size: (await stat(path)).size,
      open: async () => createReadStream(path),
    });
  }
  contents.sort((a, b) => (a.name < b.name ? -1 : 1));
  yield* zipStream(contents, { level: 1 }) as NodeJS.ReadableStream & AsyncIterable<Uint8Array>;
}
