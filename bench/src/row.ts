/**
 * One row of the bench: the same work done by us and by its peers, each in a process of its own, in one run.
 * Every measured script prints `{ seconds, peakBytes, check }` as its last line; `check` shows that the same work was done.
 */
export interface Measured {
  /** Absent where the row is about memory or disk alone. */
  readonly seconds?: number;
  readonly peakBytes: number;
  readonly check: unknown;
  /** Further figures, for people: "p95 12 ms". */
  readonly figures?: readonly string[];
}

/** A process that does the work: program and arguments, or the reason why it cannot run here. */
export type Contender = { readonly name: string; readonly aim?: Aim } & (
  | {
      readonly command: readonly string[];
      /** Fresh processes; the best time and the highest peak of them count. Default 1. */
      readonly runs?: number;
    }
  | { readonly skipped: string }
);

/** What the issues ask for: time of the peer ÷ our time, and our peak memory ÷ the peer's. */
export interface Aim {
  readonly speed?: number;
  readonly memory?: number;
}

export interface Row {
  readonly name: string;
  /** Limits that hold without a peer, as text and test on our own figure. */
  readonly own?: { readonly text: string; readonly holds: (ours: Measured) => boolean };
  readonly ours: Contender;
  readonly peers: readonly Contender[];
  /** What is wrong when our `check` and a peer's differ by more than is explained; undefined when they agree. */
  readonly differs?: (ours: unknown, peer: unknown) => string | undefined;
}
