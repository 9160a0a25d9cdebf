/**
 * A folder of files that must not outlive the process that made them: names with its mark, modes for us alone, a sign of
 * life for other machines that share the folder, and the removal of what the dead left.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { identityIn, identityText, lifeOf, ownIdentity } from '@isocenter/engine/processes';

/** A living process touches its files this often, so that one that waits for a slow client is not taken for dead. */
const TOUCH_EVERY_MS = 60_000;
/** Of a process that we cannot see: a quarter of an hour without a touch, which leaves room for clocks that differ. */
const DEAD_AFTER_MS = 15 * 60_000;

const OWN_MARK = identityText(ownIdentity());

/** Of the whole process: two stores in it may share a folder. */
const live = new Set<string>();
let toucher: NodeJS.Timeout | undefined;

async function touchAll(): Promise<void> {
  const now = new Date();
  await Promise.all([...live].map((path) => utimes(path, now, now).catch(() => undefined)));
}

export class TemporaryFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async open(path: string): Promise<TemporaryFolder> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return new TemporaryFolder(path);
  }

  /** A new name, kept alive until `forget`. */
  claim(): string {
    const path = join(this.path, `${OWN_MARK}-${randomUUID()}`);
    live.add(path);
    toucher ??= setInterval(() => void touchAll(), TOUCH_EVERY_MS).unref();
    return path;
  }

  /** The file has gone to its place. */
  forget(path: string): void {
    live.delete(path);
    if (live.size > 0) return;
    clearInterval(toucher);
    toucher = undefined;
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true }).finally(() => this.forget(path));
  }

  /** Removes the files of dead processes, and ours that nobody claims any more (their removal failed). Returns how many. */
  async removeDead(): Promise<number> {
    let removed = 0;
    for (const name of await readdir(this.path)) {
      const path = join(this.path, name);
      if (await this.#isDead(name, path)) {
        await rm(path, { force: true });
        removed++;
      }
    }
    return removed;
  }

  async #isDead(name: string, path: string): Promise<boolean> {
    if (name.startsWith(`${OWN_MARK}-`)) return !live.has(path);
    const owner = identityIn(name);
    if (owner === undefined) return false;
    const life = lifeOf(owner);
    if (life !== 'elsewhere') return life === 'dead';
    const found = await stat(path).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs > DEAD_AFTER_MS;
  }
}
