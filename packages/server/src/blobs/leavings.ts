/**
 * Objects without a row: a writer that slept past its lease and then finished, a database restored from a backup. Each
 * gets a row that says `erasing`, and goes the usual way. One listing is spread over many sweeps.
 */
import { randomUUID } from 'node:crypto';
import { SYSTEM } from '../accounts/actor.js';
import { type BlobContext, now } from './blob-context.js';
import type { BlobInfo, BlobKey } from './blob-store.js';

/** Objects looked at in one sweep: one page of S3's listing. */
const PAGE = 1000;

export class Leavings {
  readonly #context: BlobContext;
  #listing: AsyncIterator<BlobInfo> | undefined;
  #nextAt = 0;

  constructor(context: BlobContext) {
    this.#context = context;
  }

  /** Looks at one page, if it is time; what it finds is due at once. */
  async look(): Promise<void> {
    const { store, installation, leavingsAfterMs, leavingsEveryMs } = this.#context;
    const time = this.#context.clock?.().getTime() ?? Date.now();
    if (!this.#listing && time < this.#nextAt) return;
    this.#listing ??= store.list(`${installation}/`)[Symbol.asyncIterator]();
    const old: BlobKey[] = [];
    try {
      for (let seen = 0; seen < PAGE; seen++) {
        const { done, value } = await this.#listing.next();
        if (done) {
          this.#listing = undefined;
          this.#nextAt = time + leavingsEveryMs;
          break;
        }
        if (time - value.modifiedAt.getTime() > leavingsAfterMs) old.push(value.key);
      }
    } catch (error) {
      this.#listing = undefined;
      throw error;
    }
    if (old.length > 0) await this.#adopt(old);
  }

  /** Its row was written before it and goes after it: no row, or the row of one that was erased, means that it is nobody's. */
  async #adopt(keys: readonly BlobKey[]): Promise<void> {
    const { db } = this.#context;
    const rows = await db
      .selectFrom('blob')
      .select('key')
      .where('key', 'in', keys)
      .where('state', '<>', 'erased')
      .execute();
    const known = new Set<string>(rows.map(({ key }) => key));
    const time = now(this.#context);
    for (const key of keys.filter((candidate) => !known.has(candidate))) {
      await db
        .insertInto('blob')
        .values({
          id: randomUUID(),
          key,
          purpose: 'upload', // unknown: treated as images
          state: 'erasing',
          created_at: time,
          created_by_kind: SYSTEM.kind,
          created_by: SYSTEM.id,
          due_at: time,
          release_reason: 'no row belonged to it',
        })
        .onConflict((conflict) =>
          conflict
            .column('key')
            .doUpdateSet({ state: 'erasing', due_at: time, release_reason: 'came back after it was erased' })
            .where('blob.state', '=', 'erased'),
        )
        .execute();
    }
  }
}
