/**
 * `{IMAGE_DATA_FOLDER}/{id}/imagedata.zip` with the line `image data deleted`: where the old product kept, and overwrote, a
 * run's images (specs/protocols.md 1.10). Ours never lie there; the file comes once the blob store has erased them, which
 * the audit log says as well. A mark that is older than the run finds those whose server died in between.
 */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic } from '@isocenter/formats';
import { SYSTEM } from '../../accounts/actor.js';
import type { Job } from '../../jobs/job.js';
import type { Services } from '../../services/services.js';
import { INNEREYE } from './messages.js';

const TEXT = 'image data deleted';
const FILE = 'imagedata.zip';
const WAITING = '.waiting';
/** A mark without a job: the upload was cut off. No upload takes that long and still becomes a job. */
const FORGOTTEN_MS = 24 * 3600_000;
const LOOK_MS = 50;
/** Erasing is a matter of milliseconds; a store that is down must not hold up the answer. */
const LOOKS = 40;

type Parts = Pick<Services, 'blobs' | 'db' | 'jobs'>;

export class Erasures {
  readonly #parts: Parts;
  readonly #folder: string | undefined;

  /** `folder`: of the files; undefined: none are written. */
  constructor(parts: Parts, folder: string | undefined) {
    this.#parts = parts;
    this.#folder = folder;
  }

  /** Throws what the file system throws when the folder cannot be used. */
  async open(): Promise<void> {
    if (this.#folder !== undefined) await mkdir(join(this.#folder, WAITING), { recursive: true });
  }

  /** Before images come. */
  async expect(runId: string): Promise<void> {
    if (this.#folder === undefined) return;
    // Whoever cleans the folder up, as upstream advises, may have taken the marks' with it.
    await this.open();
    await writeFile(this.#mark(this.#folder, runId), '');
  }

  /** No run was made. */
  async forget(runId: string): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#mark(this.#folder, runId), { force: true });
  }

  /** Of a run that ended: its images are gone, and the file is there, when this resolves; unless they are kept for a retry. */
  async settle({ id, externalId = id, state, inputBlobIds }: Job): Promise<void> {
    const erasedAt = await this.#erased(inputBlobIds);
    if (erasedAt === undefined || this.#folder === undefined) return;
    const mark = this.#mark(this.#folder, externalId);
    if (!(await exists(mark))) return;
    await mkdir(join(this.#folder, id), { recursive: true });
    const text = `${TEXT}\nrun ${externalId} ${state}, images erased at ${erasedAt.toISOString()}\n`;
    await writeFileAtomic(join(this.#folder, id, FILE), Buffer.from(text));
    await rm(mark, { force: true });
  }

  /** The runs whose end nobody asked for. */
  async sweep(): Promise<void> {
    if (this.#folder === undefined) return;
    await this.open();
    for (const runId of await readdir(join(this.#folder, WAITING))) {
      const job = await this.#parts.jobs.byExternalId(INNEREYE, runId, SYSTEM);
      if (job !== undefined) {
        if (hasEnded(job)) await this.settle(job);
      } else if (await isOld(this.#mark(this.#folder, runId))) await this.forget(runId);
    }
  }

  /** When the last of them was erased; undefined while they are there. */
  async #erased(ids: readonly string[]): Promise<Date | undefined> {
    const { blobs, db } = this.#parts;
    for (let look = 0; look < LOOKS; look++) {
      const rows = await db
        .selectFrom('blob')
        .select(['state', 'erased_at', 'released_at'])
        .where('id', 'in', [...ids])
        .execute();
      const left = rows.filter(({ state }) => state !== 'erased');
      if (left.length === 0)
        return new Date(Math.max(...rows.map(({ erased_at }) => erased_at?.getTime() ?? 0)) || Date.now());
      if (left.some(({ released_at }) => released_at === null)) return undefined;
      if (look === 0) await blobs.eraseReleased(ids).catch(() => undefined);
      else await delay(LOOK_MS);
    }
    return undefined;
  }

  /** Run ids are ours, and name a file as they are. */
  #mark(folder: string, runId: string): string {
    return join(folder, WAITING, runId);
  }
}

export function hasEnded({ state }: Pick<Job, 'state'>): boolean {
  return state !== 'queued' && state !== 'running';
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function isOld(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > FORGOTTEN_MS;
}
