/**
 * Which files of a bundle are kept, and under which names they reach a disk. Folder, zip and tar are all read by the one
 * safe reader of formats; only plain names of the places that a bundle has are taken, everything else is left behind.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { ByteSource } from '@isocenter/formats';
import type { BundleFile } from './model.js';
import { RegistryError } from './registry-error.js';

export const METADATA = 'configs/metadata.json';
/** A segment without leading dot, blank or separator; no path of an archive can climb with it. */
const PLAIN = '[A-Za-z0-9_][A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+)*';
const KEPT = new RegExp(
  `^(?:(?:configs|models|docs|scripts)(?:/${PLAIN}){1,4}|(?:LICENSE|README|large_files)[A-Za-z0-9._-]{0,32})$`,
);
/** What the engine reads; scripts never reach a folder that something is run from. */
const RUN = new RegExp(`^(?:configs|models)/${PLAIN}$`);
/** The largest bundles of the zoo have some fifty files. */
const MAXIMUM_FILES = 2000;

export interface StagedFile extends BundleFile {
  readonly crc32: number;
}

/** Folder inside the archive that holds `configs/`: '' or `name/`. Undefined: no bundle, or several. */
export function bundleRootOf(sources: readonly ByteSource[]): string | undefined {
  const roots = sources
    .map(({ name }) => name)
    .filter((name) => name === METADATA || name.endsWith(`/${METADATA}`))
    .map((name) => name.slice(0, -METADATA.length));
  return roots.length === 1 ? roots[0] : undefined;
}

/** Reads the kept files (`all`), or only those that a run reads (`run`), one after the other. Throws ArchiveError, RegistryError. */
export async function readBundleFiles(
  sources: readonly ByteSource[],
  root: string,
  which: 'all' | 'run',
  take: (path: string, bytes: Uint8Array) => Promise<void> = async () => {},
): Promise<StagedFile[]> {
  const pattern = which === 'all' ? KEPT : RUN;
  const files: StagedFile[] = [];
  const seen = new Set<string>();
  for (const source of sources) {
    const path = source.name.startsWith(root) ? source.name.slice(root.length) : '';
    if (!pattern.test(path)) continue;
    // Two names that differ by case only would be one file on some machines.
    if (seen.has(path.toLowerCase()) || seen.size >= MAXIMUM_FILES)
      throw new RegistryError('not-a-model', 'The bundle has the same file twice, or too many files', {
        where: path,
        next: `Give each file its own name; a bundle has at most ${MAXIMUM_FILES}`,
      });
    seen.add(path.toLowerCase());
    const bytes = await source.read();
    await take(path, bytes);
    files.push({ path, bytes: bytes.byteLength, ...(await digestsOf(bytes)) });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** In steps of some milliseconds: 600 MB at once held the event loop for three seconds. */
const DIGEST_STEP = 4 * 1024 * 1024;

async function digestsOf(bytes: Uint8Array): Promise<Pick<StagedFile, 'sha256' | 'crc32'>> {
  const hash = createHash('sha256');
  let crc = 0;
  for (let at = 0; at < bytes.byteLength; at += DIGEST_STEP) {
    if (at > 0) await setImmediate();
    const step = bytes.subarray(at, at + DIGEST_STEP);
    hash.update(step);
    crc = crc32(step, crc);
  }
  return { sha256: hash.digest('hex'), crc32: crc };
}

/** The same, written below `folder`, which only its owner can read. */
export function writeBundleFiles(
  sources: readonly ByteSource[],
  root: string,
  folder: string,
  which: 'all' | 'run',
): Promise<StagedFile[]> {
  return readBundleFiles(sources, root, which, async (path, bytes) => {
    await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, path), bytes, { mode: 0o600, flag: 'wx' });
  });
}

/** What of the stored files `materialise` writes. */
export function runFilesOf(files: readonly BundleFile[]): readonly BundleFile[] {
  return files.filter(({ path }) => RUN.test(path));
}
