/**
 * What somebody hands in (folder, zip, exported file, raw ONNX with its form) becomes a private folder with one checked
 * bundle in it. Nothing is believed before `loadBundle` has read it, and nothing here is executed.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Bundle, BundleError, loadBundle } from '@isocenter/engine/bundles';
import { type ByteSource, openSources } from '@isocenter/formats';
import { Failure, isFailure } from '@isocenter/volume';
import { bundleRootOf, METADATA, type StagedFile, writeBundleFiles } from './bundle-files.js';
import { type ExportedFields, isExport, readExport } from './export-format.js';
import { makeOnnxBundle, type OnnxBundleOptions } from './onnx/make-onnx-bundle.js';
import { readOnnx } from './onnx/read-onnx.js';
import { type OnnxForm, parseOnnxForm } from './onnx-form.js';
import { RegistryError } from './registry-error.js';
import { modelName } from './schemas.js';

export interface StagedBundle {
  readonly bundle: Bundle;
  readonly files: readonly StagedFile[];
  /** What another server knew about it. */
  readonly restored?: { readonly fields: ExportedFields; readonly module: Uint8Array | undefined };
  /** What the form said beyond the bundle. */
  readonly form?: OnnxForm;
  /** Removes the folder; may be called again. */
  close(): Promise<void>;
}

export interface StageOptions extends OnnxBundleOptions {
  /**
   * Name as the sender gave it: only its plain stem is used, and only when the bundle does not name itself. The name of
   * a file at `path` is not used: it may be one of ours.
   */
  readonly fileName?: string;
  readonly form?: unknown;
  readonly signal?: AbortSignal;
}

const FORM = 'form.json';
/** Some thousand structures. */
const MAXIMUM_FORM_BYTES = 1024 * 1024;
const NAMELESS = 'bundle';
/** Bytes that a bundle's zip or tar.gz begins with; anything else can only be a tar or an ONNX file. */
const ARCHIVE_STARTS = ['504b0304', '504b0506', '1f8b'];

/** `parent`: an existing folder of ours. Throws RegistryError, BundleError, ArchiveError; then nothing is left behind. */
export async function stageBundle(path: string, parent: string, options: StageOptions): Promise<StagedBundle> {
  const folder = join(parent, `.staging-${randomUUID()}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const close = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    return { ...(await stage(path, folder, options)), close };
  } catch (error) {
    await close();
    throw withoutPath(error, [folder, path]);
  }
}

async function stage(path: string, folder: string, options: StageOptions): Promise<Omit<StagedBundle, 'close'>> {
  if (await isOnnx(path)) {
    if (options.form === undefined)
      throw new RegistryError('not-a-model', 'This is neither the folder nor the zip of a bundle', {
        next: 'Give a MONAI bundle; for a raw ONNX file also give the form that describes it (--form form.json)',
      });
    return stageOnnx(path, options.form, folder, options);
  }
  // A gzip that holds no tar is no bundle: it is refused before it is unpacked, here, in the server's own memory.
  const opened = await openSources(path, { expect: 'archive' });
  try {
    const { sources } = opened;
    if (isExport(sources)) {
      const { bundle, fields, module } = await readExport(sources);
      const inner = await openSources(bundle, { expect: 'archive' });
      try {
        return { ...(await stageSources(inner.sources, folder, undefined)), restored: { fields, module } };
      } finally {
        await inner.close();
      }
    }
    const [network] = sources.filter(({ name }) => /^[^/]+\.onnx$/i.test(name));
    const form = sources.find(({ name }) => name === FORM);
    if (network && form && sources.length === 2) {
      const copy = join(folder, 'network');
      await writeFile(copy, await network.read(), { mode: 0o600, flag: 'wx' });
      return await stageOnnx(copy, await readForm(form), folder, options);
    }
    const named = opened.origin === 'folder' ? basename(path) : nameInForm(options.form);
    return await stageSources(sources, folder, options.fileName ?? named);
  } finally {
    await opened.close();
  }
}

async function stageOnnx(path: string, fields: unknown, folder: string, options: StageOptions) {
  const form = parseOnnxForm(fields);
  const made = join(folder, 'made', form.name);
  await makeOnnxBundle(path, form, made, options);
  return { ...(await stage(made, join(folder, 'checked'), {})), form };
}

async function readForm(source: ByteSource): Promise<unknown> {
  try {
    if (source.size <= MAXIMUM_FORM_BYTES) return JSON.parse(Buffer.from(await source.read()).toString('utf8'));
  } catch (cause) {
    if (isFailure(cause)) throw cause;
  }
  throw new RegistryError('wrong-form', `${FORM} is not a JSON object of at most ${MAXIMUM_FORM_BYTES} bytes`, {
    where: FORM,
    next: 'docs/how-to/add-models.md shows one',
  });
}

/** A bundle needs no form, but whoever sends one may say in it what a nameless bundle is called. */
function nameInForm(form: unknown): string | undefined {
  const name = (form as { readonly name?: unknown } | undefined)?.name;
  return typeof name === 'string' ? name : undefined;
}

async function stageSources(
  sources: Parameters<typeof writeBundleFiles>[0],
  folder: string,
  hint: string | undefined,
): Promise<Omit<StagedBundle, 'close'>> {
  const root = bundleRootOf(sources);
  if (root === undefined)
    throw new RegistryError('not-a-model', `The input does not hold exactly one file ${METADATA}`, {
      next: 'Give the folder or the zip of one MONAI bundle: configs/, models/',
    });
  const name = root === '' ? nameOf(hint) : nameOf(basename(root));
  const place = join(folder, name ?? NAMELESS);
  const files = await writeBundleFiles(sources, root, place, 'all');
  const bundle = await loadBundle(place);
  if (name === undefined && bundle.isocenter.name === undefined)
    throw new RegistryError('wrong-name', 'The bundle does not say what it is called', {
      where: 'isocenter.name',
      next: 'Set isocenter.name in metadata.json, zip the folder itself, or give a name with the upload',
    });
  await checkOnnxFiles(place, files);
  return { bundle, files };
}

/** Networks are read as far as their outline, and may name no weights but those that lie beside them in the bundle. */
async function checkOnnxFiles(folder: string, files: readonly StagedFile[]): Promise<void> {
  for (const { path } of files.filter((file) => /^models\/.*\.onnx$/i.test(file.path))) {
    const { externalFiles } = await readOnnx(join(folder, path));
    const missing = externalFiles.find((name) => !files.some((file) => file.path === `models/${name}`));
    if (missing !== undefined)
      throw new RegistryError('not-a-model', 'The network names weights that are not beside it in the bundle', {
        where: path,
        next: 'Put the file of external data under models/, or export the network with its weights inside',
      });
  }
}

/** `name_v1.2.zip` → `name`. */
function nameOf(hint: string | undefined): string | undefined {
  const name = hint?.replace(/\.(zip|tar|tgz|tar\.gz)$/i, '').replace(/_v\d[\w.]*$/, '');
  return name !== undefined && modelName.safeParse(name).success ? name : undefined;
}

async function isOnnx(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return false;
  const file = await open(path, 'r');
  try {
    // A tar has its mark at byte 257.
    const start = Buffer.alloc(512);
    await file.read(start, 0, start.length, 0);
    const mark = start.toString('hex', 0, 4);
    return !ARCHIVE_STARTS.some((known) => mark.startsWith(known)) && start.toString('latin1', 257, 262) !== 'ustar';
  } finally {
    await file.close();
  }
}

/** Messages of the engine name files by their full path, which is ours and nobody else's. */
function withoutPath(error: unknown, paths: readonly string[]): unknown {
  if (!isFailure(error)) return error;
  const clean = (text: string | undefined) =>
    text === undefined
      ? undefined
      : paths.reduce((all, path) => all.replaceAll(`${path}/`, '').replaceAll(path, 'bundle'), text);
  const details = { where: clean(error.where), next: clean(error.next), cause: error.cause };
  const message = clean(error.message) ?? '';
  if (message === error.message && details.where === error.where && details.next === error.next) return error;
  if (error instanceof BundleError) return new BundleError(error.kind, message, details);
  const same = new Failure(error.kind, message, details);
  same.name = error.name;
  return same;
}
