// The packages of DESIGN §2 with their level, and how the tools find and read their sources.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Imports may only point to a package of a lower level. */
export const levels = {
  '@isocenter/volume': 0,
  '@isocenter/client': 0,
  '@isocenter/graph': 0,
  '@isocenter/dicom': 1,
  '@isocenter/formats': 1,
  '@isocenter/engine': 2,
  '@isocenter/training': 3,
  '@isocenter/server': 4,
  isocenter: 5,
};

/** Every TypeScript file below `folder`, sorted, without build output. */
export function sourceFiles(folder) {
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...sourceFiles(path));
    else if (/\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts')) found.push(path);
  }
  return found.sort();
}

/** Test code, and the harness that kills servers (packages/server/src/survival), which is a program of its own. */
export const isTest = (path) => /\.(test|suite)\.tsx?$/.test(path) || /\/(?:testing|survival)\//.test(path);
export const isGenerated = (path) => /\.generated\.ts$/.test(path);
export const show = (path) => relative(root, path);
export const read = (path) => readFileSync(path, 'utf8');

/** The packages that exist: their npm name, level and source files. */
export function packages() {
  const folder = join(root, 'packages');
  return readdirSync(folder)
    .filter((name) => statSync(join(folder, name)).isDirectory())
    .map((name) => {
      const manifest = JSON.parse(read(join(folder, name, 'package.json')));
      return {
        name: manifest.name,
        level: levels[manifest.name],
        folder: join(folder, name),
        files: sourceFiles(join(folder, name, 'src')),
      };
    });
}

/** Module names that a source file imports or re-exports, static or dynamic. */
export function importsOf(source) {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  return [...source.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3]);
}
