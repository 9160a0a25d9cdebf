/**
 * A zipped bundle becomes a private folder named by the zip's hash, so that the same zip is unpacked once. Only entries
 * whose names are exactly `configs/<plain name>.json` or `models/<plain name>` beside a metadata.json are taken; the
 * archive is read by the one safe reader (sizes, ratios and checksums are never believed).
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { openSources } from '@isocenter/formats';
import { type Failure, isFailure } from '@isocenter/volume';
import { BundleError } from './bundle-error.js';
import { sha256OfFile } from './load-bundle.js';

const METADATA = 'configs/metadata.json';
/** Plain names only: no path of the archive ever reaches the file system. */
const TAKEN = /^(configs|models)\/([A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)$/;

/** Where bundles are unpacked; only their owner can read it. */
function cacheFolder(): string {
  const base =
    process.env.ISOCENTER_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'isocenter');
  return join(base, 'bundles');
}

/** Path of the folder that holds `configs/`. Throws BundleError `archive`, ArchiveError for a damaged entry. */
export async function unpackBundle(zip: string, cache = cacheFolder()): Promise<string> {
  const target = join(cache, await sha256OfFile(zip), bundleNameOf(zip));
  if (existsSync(join(target, METADATA))) return target;
  const part = `${target}.${randomUUID()}.part`;
  const opened = await openSources(zip, { expect: 'archive' }).catch((cause) => {
    throw isFailure(cause) ? unreadable(zip, cause) : cause;
  });
  try {
    const roots = opened.sources
      .map(({ name }) => name)
      .filter((name) => name === METADATA || name.endsWith(`/${METADATA}`));
    if (roots.length !== 1)
      throw new BundleError('archive', `The archive holds ${roots.length} files ${METADATA}; a bundle has one`, {
        where: zip,
        next: 'Zip the folder of one bundle',
      });
    const root = roots[0].slice(0, -METADATA.length);
    for (const folder of ['configs', 'models']) await mkdir(join(part, folder), { recursive: true, mode: 0o700 });
    for (const source of opened.sources) {
      const [, folder, name] = source.name.startsWith(root) ? (TAKEN.exec(source.name.slice(root.length)) ?? []) : [];
      if (folder) await writeFile(join(part, folder, name), await source.read(), { mode: 0o600 });
    }
    // Another process may have been faster; its folder has the same bytes.
    await rename(part, target).catch((error) => {
      if (!existsSync(join(target, METADATA))) throw error;
    });
    return target;
  } finally {
    await opened.close();
    await rm(part, { recursive: true, force: true });
  }
}

/** A damaged model must not read as a damaged study. */
function unreadable(zip: string, cause: Failure): BundleError {
  return new BundleError(
    'archive',
    `The model is a file, and cannot be read as the zip of a bundle: ${cause.message}`,
    {
      where: zip,
      next: 'Give the folder or the zip of a bundle, or the name of a model',
      cause,
    },
  );
}

/** `name_v1.2.zip` → `name`. */
function bundleNameOf(zip: string): string {
  const name = basename(zip)
    .replace(/\.zip$/i, '')
    .replace(/_v\d[\w.]*$/, '');
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) ? name : 'bundle';
}
