/**
 * All results of one piece of work, or none: files are written into a hidden folder beside (or inside) their place, and
 * moved when all are there. A failure before, or during the move, leaves the place as it was.
 */
import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { OutputError, outputError } from './output-error.js';
import { syncFolder, writeNew } from './write-file-atomic.js';

export interface OutputFolderOptions {
  /** False: a file that exists already makes `commit` fail with `exists`. Default true. */
  readonly overwrite?: boolean;
  /** What the names of all files will begin with: with `overwrite` false, files of that kind are found before any work. */
  readonly stem?: string;
  /** False for a place that nobody looks into after a crash: nothing waits for the disk. Default true. */
  readonly durable?: boolean;
}

/** One or several segments that no system can misread: no leading dot, no `..`, ASCII. */
const SAFE_PATH = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export class OutputFolder {
  private readonly names = new Map<string, string>();
  private finished = false;

  private constructor(
    readonly path: string,
    private readonly staging: string,
    private readonly existed: boolean,
    /** First of the parent folders that we made ourselves. */
    private readonly madeParents: string | undefined,
    private readonly overwrite: boolean,
    private readonly durable: boolean,
  ) {}

  /** Checks at once, before any long work, that the place can be written to. Throws OutputError. */
  static async create(path: string, options: OutputFolderOptions = {}): Promise<OutputFolder> {
    const target = resolve(path);
    const tag = `.isocenter-${randomBytes(6).toString('hex')}.part`;
    try {
      const existing = await stat(target).catch(ifMissing);
      if (existing?.isDirectory() && options.overwrite === false && options.stem !== undefined)
        await refuseEarlier(target, `${options.stem}.`);
      if (existing && !existing.isDirectory()) throw Object.assign(new Error('a file'), { code: 'ENOTDIR' });
      const parent = existing ? target : dirname(target);
      const made = await mkdir(parent, { recursive: true });
      const staging = join(parent, tag);
      await mkdir(staging);
      const { overwrite = true, durable = true } = options;
      return new OutputFolder(target, staging, existing !== undefined, made, overwrite, durable);
    } catch (cause) {
      throw outputError(cause);
    }
  }

  /** `name`: relative, `/` between segments, from `safeFileName`. Throws OutputError; the caller then discards. */
  async write(name: string, bytes: Uint8Array | readonly Uint8Array[]): Promise<void> {
    this.checkOpen();
    if (!SAFE_PATH.test(name))
      throw new OutputError('bad-name', 'An output name is not safe as a file name', {
        next: 'This is a fault of the program: report it.',
      });
    // Without case, because macOS and Windows would put one file over the other.
    const key = name.toLowerCase();
    if (this.names.has(key)) throw new OutputError('exists', 'Two outputs have the same name', { where: name });
    this.names.set(key, name);
    try {
      const place = join(this.staging, 'new', name);
      await mkdir(dirname(place), { recursive: true });
      await writeNew(place, bytes, this.durable);
    } catch (cause) {
      throw outputError(cause);
    }
  }

  /** Moves everything to its place and returns the full paths in the order of writing. On failure nothing has changed. */
  async commit(): Promise<string[]> {
    this.checkOpen();
    const names = [...this.names.values()];
    try {
      await mkdir(join(this.staging, 'new'), { recursive: true });
      if (this.existed) await this.moveFiles(names);
      else await rename(join(this.staging, 'new'), this.path);
      if (this.durable) await syncFolder(this.path);
    } catch (cause) {
      await this.discard();
      throw outputError(cause);
    }
    this.finished = true;
    await rm(this.staging, { recursive: true, force: true }).catch(() => undefined);
    return names.map((name) => join(this.path, name));
  }

  /** Removes everything that was written, and the parent folders that were made for it. Safe to call at any time. */
  async discard(): Promise<void> {
    if (this.finished) return;
    this.finished = true;
    await rm(this.staging, { recursive: true, force: true }).catch(() => undefined);
    if (!this.madeParents) return;
    // Only empty ones go: somebody may have used them meanwhile.
    const first = resolve(this.madeParents);
    for (let folder = dirname(this.path); folder.startsWith(first); folder = dirname(folder)) {
      const gone = await rmdir(folder).then(
        () => true,
        () => false,
      );
      if (!gone) return;
    }
  }

  private async moveFiles(names: readonly string[]): Promise<void> {
    const undo: (() => Promise<unknown>)[] = [];
    try {
      for (const [index, name] of names.entries()) {
        const place = join(this.path, name);
        const made = await mkdir(dirname(place), { recursive: true });
        if (made) undo.push(() => rm(made, { recursive: true, force: true }));
        const exists = await access(place).then(() => true, ifMissing);
        if (exists && !this.overwrite) throw alreadyThere(name);
        if (exists) {
          const kept = join(this.staging, `replaced-${index}`);
          await rename(place, kept);
          undo.push(() => rename(kept, place));
        }
        await rename(join(this.staging, 'new', name), place);
        undo.push(() => rm(place, { force: true }));
      }
    } catch (cause) {
      for (const step of undo.reverse()) await step().catch(() => undefined);
      throw cause;
    }
  }

  private checkOpen(): void {
    if (this.finished) throw new OutputError('finished', 'This output was committed or discarded already');
  }
}

async function refuseEarlier(folder: string, start: string): Promise<void> {
  const earlier = (await readdir(folder)).filter((name) => name.startsWith(start)).sort();
  if (earlier.length > 0) throw alreadyThere(earlier[0]);
}

function alreadyThere(name: string): OutputError {
  return new OutputError('exists', 'An output exists already', {
    where: name,
    next: 'Choose another output folder, or ask for the earlier results to be replaced.',
  });
}

function ifMissing(cause: NodeJS.ErrnoException): undefined {
  if (cause.code === 'ENOENT') return undefined;
  throw cause;
}
