/**
 * Checks entries one after the other, wherever they come from (the table, or an export), and says of the first wrong one
 * what happened to it. It keeps one hash and one number, so a log of any length fits.
 */
import type { AuditAnchor, AuditProblem, AuditProblemKind, ChainedEntry } from './audit-trail.js';
import { chainHash, entryDigest } from './entry-bytes.js';

/** How far around its place a displaced entry is sought: 2 × this hashes, some milliseconds of the event loop. */
const SEARCHED_PLACES = 2_000;

export interface WalkStart {
  readonly logId: string;
  /** Number of the last entry that is taken as given, 0 for none, and its hash. */
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly anchor?: AuditAnchor | undefined;
}

export class ChainWalk {
  readonly #logId: string;
  readonly #anchor: AuditAnchor | undefined;
  #seq: number;
  #hash: Buffer;
  #checked = 0;

  constructor(start: WalkStart) {
    this.#logId = start.logId;
    this.#seq = start.seq;
    this.#hash = Buffer.from(start.hash);
    this.#anchor = start.anchor;
  }

  /** The last sound entry, or the start. */
  get anchor(): AuditAnchor {
    return { logId: this.#logId, seq: this.#seq, hash: this.#hash.toString('hex') };
  }

  get checked(): number {
    return this.#checked;
  }

  /** What is wrong before the first entry: an anchor of another log, or one that the start contradicts. */
  begin(): AuditProblem | undefined {
    if (this.#anchor && this.#anchor.logId !== this.#logId) {
      return problem('rewritten', 1, 'This is another log than the one the anchor was taken from');
    }
    return this.#againstAnchor();
  }

  /** Takes the next entry; after a problem the walk is over. */
  take(entry: ChainedEntry): AuditProblem | undefined {
    const expected = this.#seq + 1;
    if (entry.seq !== expected) {
      if (entry.seq < expected)
        return problem('reordered', entry.seq, `Entry ${entry.seq} stands behind entry ${this.#seq}`);
      const until = entry.seq - 1;
      const which = until === expected ? `Entry ${expected} is` : `Entries ${expected} to ${until} are`;
      return problem('missing', expected, `${which} missing`);
    }
    const wrong = this.#contentOf(entry) ?? this.#linkOf(entry);
    if (wrong) return wrong;
    this.#seq = entry.seq;
    this.#hash = Buffer.from(entry.hash);
    this.#checked += 1;
    return this.#againstAnchor();
  }

  /** Compares the end of the chain with where it is said to end. */
  end(head: { readonly seq: number; readonly hash: Uint8Array }): AuditProblem | undefined {
    const { seq } = head;
    if (this.#seq < seq) {
      const gone = seq - this.#seq;
      const which = gone === 1 ? 'The last entry is' : `The last ${gone} entries are`;
      return problem('truncated', this.#seq + 1, `${which} missing: the log went up to entry ${seq}`);
    }
    if (this.#seq > seq) return problem('unchained', seq + 1, `Entries after ${seq} were added without the chain`);
    if (!this.#hash.equals(head.hash))
      return problem('changed', seq, `The head does not carry the hash of entry ${seq}`);
    if (this.#anchor && this.#anchor.seq > this.#seq) {
      return problem(
        'truncated',
        this.#seq + 1,
        `The anchor was taken at entry ${this.#anchor.seq}, but the log ends at ${this.#seq}`,
      );
    }
    return undefined;
  }

  #contentOf(entry: ChainedEntry): AuditProblem | undefined {
    if (entryDigest(entry).equals(entry.digest)) return undefined;
    return problem(
      'changed',
      entry.seq,
      `Entry ${entry.seq} does not say what was written: its fields do not give its digest`,
    );
  }

  #linkOf(entry: ChainedEntry): AuditProblem | undefined {
    const follows = this.#hash.equals(entry.previous);
    if (follows && chainHash(entry.previous, entry.seq, entry.digest).equals(entry.hash)) return undefined;
    const written = placeOf(entry);
    if (written !== undefined && written !== entry.seq) {
      return problem('reordered', entry.seq, `At place ${entry.seq} stands what was written as entry ${written}`);
    }
    const which = follows ? 'its hash is not that of its content' : `it does not follow entry ${entry.seq - 1}`;
    return problem('changed', entry.seq, `Entry ${entry.seq} was changed: ${which}`);
  }

  #againstAnchor(): AuditProblem | undefined {
    if (!this.#anchor || this.#anchor.seq !== this.#seq) return undefined;
    if (this.#anchor.hash.toLowerCase() === this.#hash.toString('hex')) return undefined;
    return problem(
      'rewritten',
      this.#seq,
      `Entry ${this.#seq} and those before it are not the ones the anchor was taken from: the chain was made anew`,
    );
  }
}

/** The number that the entry's own hashes belong to, if it is near. */
function placeOf(entry: ChainedEntry): number | undefined {
  for (let distance = 0; distance <= SEARCHED_PLACES; distance += 1) {
    for (const seq of [entry.seq + distance, entry.seq - distance]) {
      if (seq > 0 && chainHash(entry.previous, seq, entry.digest).equals(entry.hash)) return seq;
    }
  }
  return undefined;
}

function problem(kind: AuditProblemKind, seq: number, message: string): AuditProblem {
  return { kind, seq, message };
}
