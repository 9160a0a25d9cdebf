/**
 * Private folders that say who made them (process-identity.ts), so that a later start can remove what a killed process
 * left and nothing else, also where containers share a temporary folder.
 */
import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { identityIn, identityText, lifeOf, ownIdentity } from './process-identity.js';

/** Owners refresh their folder at this pace… */
const REFRESH_MS = 5 * 60_000;
/** …so one that we cannot look up, and that was not refreshed for so long, is dead. */
const FOREIGN_DEAD_MS = 60 * 60_000;

/** `prefix` ends in a hyphen. The folder can be read by its owner only (mode 0700). Throws what the file system throws. */
export function makeOwnedFolder(root: string, prefix: string): Promise<string> {
  return mkdtemp(join(root, `${prefix}${identityText(ownIdentity())}-`));
}

/** Keeps a folder that lives long from being taken for dead in another container; returns how to end that. */
export function refreshOwnedFolder(folder: string): () => void {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(folder, now, now).catch(() => {});
  }, REFRESH_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Removes what dead processes have left; those of living ones, and of ones that cannot be judged, stay. */
export async function sweepOwnedFolders(root: string, prefix: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const path = join(root, name);
    if (await isDead(path, name.slice(prefix.length), now))
      await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function isDead(path: string, name: string, now: number): Promise<boolean> {
  const owner = identityIn(name);
  if (owner === undefined) return false;
  const life = lifeOf(owner);
  if (life !== 'elsewhere') return life === 'dead';
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && now - info.mtimeMs > FOREIGN_DEAD_MS;
}
