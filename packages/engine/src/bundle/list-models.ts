/** Names and versions of the bundles in the model folders. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isFailure } from '@isocenter/volume';
import type { Bundle } from './bundle.js';
import { loadBundle, shippedModels } from './load-bundle.js';

/** Every bundle that loads, by name; folders that are none are passed over. */
export async function listModels(folders: readonly string[] = [shippedModels]): Promise<readonly Bundle[]> {
  const found: Bundle[] = [];
  for (const folder of folders)
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (!entry.isDirectory() && !entry.name.endsWith('.zip')) continue;
      try {
        found.push(await loadBundle(join(folder, entry.name)));
      } catch (error) {
        if (!isFailure(error)) throw error;
      }
    }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
