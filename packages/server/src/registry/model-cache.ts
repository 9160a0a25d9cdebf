/**
 * Bundles unpacked on this machine, each in a folder named by its hash, shared by all processes here. A folder appears
 * whole or not at all (rename); sizes and times tell damage cheaply, hashes on the first use in each process. What the
 * hashes are compared with comes from the database, never from the folder itself.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openSources } from '@isocenter/formats';
import { isFailure } from '@isocenter/volume';
import { bundleRootOf, writeBundleFiles } from './bundle-files.js';
import type { BundleFile } from './model.js';
import { RegistryError } from './registry-error.js';

export interface CachedBundle {
  readonly sha256: string;
  readonly name: string;
  /** What is unpacked: the files that a run reads. */
  readonly files: readonly BundleFile[];
  /** The canonical zip as a file on this machine. */
  fetch(): Promise<{ readonly path: string; done(): Promise<void> }>;
}

export interface ModelCacheOptions {
  readonly folder: string;
  /** The least recently used go above this. */
  readonly limitBytes: number;
  /** Nothing that was handed out within this time is removed: a child may be about to read it. */
  readonly graceMs: number;
  readonly clock: () => Date;
  /** A folder was found changed or damaged and unpacked again. */
  readonly onRepair: (sha256: string) => Promise<void>;
}

const MANIFEST = 'manifest.json';
const HASH = /^[0-9a-f]{64}$/;
const LEFTOVER = /^\.(staging-|[0-9a-f]{64}\.)/;
/** Nobody unpacks for longer; what is older was left by a process that died. */
const LEFTOVER_MS = 6 * 3600_000;

interface ManifestEntry {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

export class ModelCache {
  readonly #options: ModelCacheOptions;
  readonly #pending = new Map<string, Promise<string>>();
  /** What files looked like when this process had hashed them. */
  readonly #verified = new Map<string, string>();

  constructor(options: ModelCacheOptions) {
    this.#options = options;
  }

  /** Folder of the unpacked bundle, checked. Throws RegistryError `checksum-mismatch`, `not-here`. */
  get(bundle: CachedBundle): Promise<string> {
    const running = this.#pending.get(bundle.sha256);
    if (running) return running;
    const work = this.#provide(bundle).finally(() => this.#pending.delete(bundle.sha256));
    this.#pending.set(bundle.sha256, work);
    return work;
  }

  async #provide(bundle: CachedBundle): Promise<string> {
    const home = join(this.#options.folder, bundle.sha256);
    const state = await this.#look(bundle, home);
    if (state === 'intact') await this.#touch(home);
    else {
      if (state === 'damaged') await this.#options.onRepair(bundle.sha256);
      await this.#unpack(bundle, home);
      await this.sweep(bundle.sha256);
    }
    return join(home, bundle.name);
  }

  async #look(bundle: CachedBundle, home: string): Promise<'absent' | 'damaged' | 'intact'> {
    let manifest: readonly ManifestEntry[];
    try {
      manifest = JSON.parse(await readFile(join(home, MANIFEST), 'utf8')) as readonly ManifestEntry[];
    } catch {
      return (await stat(home).catch(() => undefined)) ? 'damaged' : 'absent';
    }
    const place = join(home, bundle.name);
    const looks: string[] = [];
    for (const file of bundle.files) {
      const noted = Array.isArray(manifest) ? manifest.find(({ path }) => path === file.path) : undefined;
      const info = await stat(join(place, file.path)).catch(() => undefined);
      if (!info || info.size !== file.bytes || info.mtimeMs !== noted?.mtimeMs) return 'damaged';
      looks.push(`${file.path} ${info.size} ${info.mtimeMs} ${info.ctimeMs} ${info.ino}`);
    }
    const look = looks.join('\n');
    if (this.#verified.get(bundle.sha256) === look) return 'intact';
    for (const file of bundle.files)
      if ((await sha256OfFile(join(place, file.path)).catch(() => '')) !== file.sha256) return 'damaged';
    this.#verified.set(bundle.sha256, look);
    return 'intact';
  }

  async #unpack(bundle: CachedBundle, home: string): Promise<void> {
    const part = join(this.#options.folder, `.${bundle.sha256}.${randomUUID()}.part`);
    try {
      await mkdir(join(part, bundle.name), { recursive: true, mode: 0o700 });
      const zip = await bundle.fetch();
      try {
        await this.#write(bundle, zip.path, join(part, bundle.name));
      } finally {
        await zip.done();
      }
      const manifest: ManifestEntry[] = [];
      for (const { path, bytes } of bundle.files)
        manifest.push({ path, bytes, mtimeMs: (await stat(join(part, bundle.name, path))).mtimeMs });
      await writeFile(join(part, MANIFEST), JSON.stringify(manifest), { mode: 0o600 });
      await this.#place(bundle, part, home);
      await this.#touch(home);
    } catch (error) {
      throw isFailure(error) ? error : notHere(error);
    } finally {
      await rm(part, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async #write(bundle: CachedBundle, zip: string, place: string): Promise<void> {
    const found = await sha256OfFile(zip);
    if (found !== bundle.sha256) throw mismatch('The stored bundle', found, bundle.sha256);
    const opened = await openSources(zip, { expect: 'archive' });
    try {
      const written = await writeBundleFiles(opened.sources, bundleRootOf(opened.sources) ?? '', place, 'run');
      for (const file of bundle.files) {
        const got = written.find(({ path }) => path === file.path);
        if (got?.sha256 !== file.sha256) throw mismatch(`The file ${file.path}`, got?.sha256 ?? 'none', file.sha256);
      }
    } finally {
      await opened.close();
    }
  }

  /** Another process may have been faster, or may still use the damaged folder: it keeps its open files. */
  async #place(bundle: CachedBundle, part: string, home: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const moved = await rename(part, home).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (attempt > 2 || !['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code ?? '')) throw error;
          return false;
        },
      );
      if (moved || (await this.#look(bundle, home)) === 'intact') return;
      const aside = `${part}.old`;
      await rename(home, aside).catch(() => undefined);
      await rm(aside, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async #touch(home: string): Promise<void> {
    const now = this.#options.clock();
    await utimes(join(home, MANIFEST), now, now).catch(() => undefined);
  }

  /** Removes what a dead process left, and the least recently used above the limit; never `keep`. */
  async sweep(keep?: string): Promise<void> {
    const { folder, limitBytes, graceMs, clock } = this.#options;
    const now = clock().getTime();
    const homes: { name: string; bytes: number; used: number }[] = [];
    for (const name of await readdir(folder).catch(() => [])) {
      const info = await stat(join(folder, name)).catch(() => undefined);
      if (LEFTOVER.test(name) && info && Date.now() - info.mtimeMs > LEFTOVER_MS)
        await rm(join(folder, name), { recursive: true, force: true });
      if (!HASH.test(name)) continue;
      const manifest = join(folder, name, MANIFEST);
      const used = (await stat(manifest).catch(() => undefined))?.mtimeMs ?? 0;
      const entries = await readFile(manifest, 'utf8').then(
        (text) => JSON.parse(text) as readonly ManifestEntry[],
        () => [],
      );
      homes.push({ name, used, bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0) });
    }
    let total = homes.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes, used } of homes.sort((a, b) => a.used - b.used)) {
      if (total <= limitBytes) return;
      if (name === keep || now - used < graceMs) continue;
      const aside = join(folder, `.${name}.${randomUUID()}.old`);
      // Renamed first, so that no other process finds half a bundle.
      if (
        !(await rename(join(folder, name), aside).then(
          () => true,
          () => false,
        ))
      )
        continue;
      await rm(aside, { recursive: true, force: true, maxRetries: 3 });
      this.#verified.delete(name);
      total -= bytes;
    }
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

export function mismatch(what: string, found: string, promised: string): RegistryError {
  return new RegistryError('checksum-mismatch', `${what} has SHA-256 ${found}, the registry promises ${promised}`, {
    next: 'Do not use this model; add it again from its source, and check the storage',
  });
}

function notHere(cause: unknown): RegistryError {
  const code = (cause as NodeJS.ErrnoException)?.code ?? 'unknown reason';
  return new RegistryError('not-here', `The model cannot be unpacked on this machine (${code})`, {
    next: 'Check the free space and the permissions of the model cache folder',
    cause,
  });
}
