/**
 * Finds a bundle by path or by `name[:version]`, reads its configuration and checks the hashes. Nothing of it is
 * executed here; weights are hashed, not loaded.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Bundle, Json } from './bundle.js';
import { BundleError } from './bundle-error.js';
import { mergeConfigs } from './config/merge.js';
import { isocenterKeyOf, readMetadata } from './metadata.js';

export interface LoadBundleOptions {
  /** Folders searched for `name[:version]`, first match wins; default: the bundles that ship with the program. */
  readonly models?: readonly string[];
  /** Further files of `configs/`, later ones win; default none. */
  readonly configurations?: readonly string[];
  /** Set on top of all files: `"inferer::overlap": 0.25`; `+key` extends. */
  readonly overrides?: Readonly<Record<string, Json>>;
}

/** The repository's `models/`: this file lies at the same depth in src/ and dist/. */
export const shippedModels = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../models');

/** Configuration files are text by hand; anything larger is not one. */
const MAXIMUM_CONFIGURATION_BYTES = 16 * 1024 * 1024;
/** In the order of preference: what we can run first. */
const WEIGHT_FILES = ['models/model.onnx', 'models/model.pt', 'models/model.ts'];

/** `nameOrPath` is a bundle folder, a zip of one, or `name[:version]`. Throws BundleError. */
export async function loadBundle(nameOrPath: string, options: LoadBundleOptions = {}): Promise<Bundle> {
  if (existsSync(nameOrPath)) {
    const info = await stat(nameOrPath);
    if (info.isDirectory()) return readBundleFolder(resolve(nameOrPath), options);
    const { unpackBundle } = await import('./unpack-bundle.js');
    return readBundleFolder(await unpackBundle(resolve(nameOrPath)), options);
  }
  return findByName(nameOrPath, options);
}

async function findByName(text: string, options: LoadBundleOptions): Promise<Bundle> {
  const folders = options.models ?? [shippedModels];
  const [, name, version] = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?::(.+))?$/.exec(text) ?? [];
  const seen: string[] = [];
  for (const folder of name ? folders : []) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const isBundle = entry.isDirectory()
        ? existsSync(join(path, 'configs/metadata.json'))
        : entry.name.endsWith('.zip');
      if (!isBundle) continue;
      const id = entry.isDirectory() ? entry.name : entry.name.slice(0, -'.zip'.length);
      if (id !== name && !id.startsWith(`${name}_v`) && !id.startsWith(`${name}-`)) {
        seen.push(id);
        continue;
      }
      const bundle = await loadBundle(path, options);
      seen.push(`${bundle.name}:${bundle.version}`);
      if (bundle.name === name && (version === undefined || version === bundle.version)) return bundle;
    }
  }
  throw new BundleError('not-found', `There is no model ${text}`, {
    where: folders.join(', '),
    next: seen.length > 0 ? `Known models: ${seen.sort().join(', ')}` : 'Give the path of a bundle folder or zip',
  });
}

async function readBundleFolder(folder: string, options: LoadBundleOptions): Promise<Bundle> {
  const metadataFile = join(folder, 'configs/metadata.json');
  const inferenceFile = join(folder, 'configs/inference.json');
  if (!existsSync(metadataFile)) throw missing(folder, 'configs/metadata.json');
  if (!existsSync(inferenceFile)) {
    const yaml = ['configs/inference.yaml', 'configs/inference.yml'].find((name) => existsSync(join(folder, name)));
    if (yaml)
      throw new BundleError(
        'unsupported-configuration',
        `The bundle's inference configuration is YAML, which is not read`,
        {
          where: join(folder, yaml),
          next: 'Convert it to configs/inference.json (in Python: json.dump(yaml.safe_load(open(...)), ...))',
        },
      );
    throw missing(folder, 'configs/inference.json');
  }
  const metadataBytes = await readConfiguration(metadataFile);
  const inferenceBytes = await readConfiguration(inferenceFile);
  const metadata = readMetadata(parseJson(metadataBytes, metadataFile), metadataFile);
  let inference = treeOf(inferenceBytes, inferenceFile);
  const configuration = createHash('sha256').update(metadataBytes).update('\0').update(inferenceBytes);
  for (const name of options.configurations ?? []) {
    const file = await pathInBundle(folder, join('configs', name));
    if (!existsSync(file)) throw missing(folder, `configs/${name}`);
    const bytes = await readConfiguration(file);
    configuration.update('\0').update(bytes);
    inference = mergeConfigs(inference, treeOf(bytes, file));
  }
  if (options.overrides) {
    configuration.update('\0').update(JSON.stringify(options.overrides));
    inference = mergeConfigs(inference, options.overrides);
  }
  const isocenter = isocenterKeyOf(metadata);
  const listed = isocenter.weights[0]?.path;
  const candidates = listed ? [listed] : WEIGHT_FILES;
  let weights: string | undefined;
  for (const candidate of candidates) {
    const path = await pathInBundle(folder, candidate);
    if (existsSync(path)) {
      weights = path;
      break;
    }
  }
  if (listed && !weights) throw missing(folder, listed);
  const hashes = new Map<string, string>();
  for (const { path, sha256 } of isocenter.weights) {
    const file = await pathInBundle(folder, path);
    if (!existsSync(file)) throw missing(folder, path);
    const found = await sha256OfFile(file);
    hashes.set(file, found);
    if (found !== sha256)
      throw new BundleError('checksum-mismatch', `The weights have SHA-256 ${found}, the bundle promises ${sha256}`, {
        where: file,
        next: 'Fetch the weights again; if they were changed on purpose, correct isocenter.weights in metadata.json',
      });
  }
  return Object.freeze({
    kind: 'bundle',
    name: isocenter.name ?? basename(folder),
    version: metadata.version,
    folder,
    metadata,
    isocenter,
    inference,
    weights,
    weightsHash: weights ? (hashes.get(weights) ?? (await sha256OfFile(weights))) : 'none',
    configurationHash: configuration.digest('hex'),
  });
}

/** Resolves a path that the bundle itself names; throws BundleError `outside-bundle` when it leaves the folder (also by a link). */
export async function pathInBundle(folder: string, relative: string): Promise<string> {
  const path = resolve(folder, relative);
  const root = await realpath(folder);
  const real = existsSync(path) ? await realpath(path) : resolve(root, relative);
  if (!real.startsWith(root + sep))
    throw new BundleError('outside-bundle', `The bundle names a file outside its own folder: ${relative}`, {
      where: folder,
    });
  return path;
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function readConfiguration(path: string): Promise<Buffer> {
  const info = await stat(path);
  if (info.size > MAXIMUM_CONFIGURATION_BYTES)
    throw new BundleError(
      'invalid-configuration',
      `A configuration of ${info.size} bytes is larger than any real one`,
      { where: path },
    );
  return readFile(path);
}

function parseJson(bytes: Buffer, file: string): Json {
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, '')) as Json;
  } catch (cause) {
    throw new BundleError('not-json', `Not a JSON file: ${cause instanceof Error ? cause.message : ''}`, {
      where: file,
      cause,
    });
  }
}

function treeOf(bytes: Buffer, file: string): { readonly [key: string]: Json } {
  const json = parseJson(bytes, file);
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    throw new BundleError('invalid-configuration', 'The configuration is not an object', { where: file });
  return json as { readonly [key: string]: Json };
}

function missing(folder: string, file: string): BundleError {
  return new BundleError('missing-file', `The bundle has no ${file}`, {
    where: folder,
    next: 'A MONAI bundle has configs/metadata.json, configs/inference.json and weights under models/',
  });
}
