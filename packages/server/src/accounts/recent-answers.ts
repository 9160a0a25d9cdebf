/**
 * Remembers for seconds what the database said about a secret, so that a known key costs no query per request. Nothing that was
 * revoked in this process is believed afterwards, not even by a question that was on its way when it happened.
 */

interface Answer<T> {
  readonly value: T;
  askedAt: number;
}

/** Of each kind, known and unknown secrets; what was used longest ago goes first. */
const MAXIMUM_ANSWERS = 10_000;

export class RecentAnswers<T> {
  readonly #known = new Map<string, Answer<T>>();
  readonly #unknown = new Map<string, Answer<undefined>>();
  readonly #asking = new Map<string, Promise<T | undefined>>();
  readonly #believedMs: number;
  readonly #clock: () => Date;
  #generation = 0;

  constructor(believedMs: number, clock: () => Date) {
    this.#believedMs = believedMs;
    this.#clock = clock;
  }

  /** A believed answer; `found: false` when the database must be asked. */
  recall(secret: string): { readonly found: boolean; readonly value?: T | undefined } {
    const answer = this.#known.get(secret) ?? this.#unknown.get(secret);
    if (!answer) return { found: false };
    const age = this.#clock().getTime() - answer.askedAt;
    return age >= 0 && age < this.#believedMs ? { found: true, value: answer.value } : { found: false };
  }

  /** Whether it was good when last asked, however long ago: such a question is not a guess. */
  wasKnown(secret: string): boolean {
    return this.#known.has(secret);
  }

  /** Asks, once for all who wait for the same secret, and remembers. */
  async ask(secret: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const underway = this.#asking.get(secret);
    if (underway) return underway;
    const question = this.#load(secret, load).finally(() => {
      if (this.#asking.get(secret) === question) this.#asking.delete(secret);
    });
    this.#asking.set(secret, question);
    return question;
  }

  /** Everything is asked again. Called after each change of accounts, keys or sessions: those are rare. */
  forget(): void {
    this.#generation += 1;
    this.#asking.clear();
    this.#unknown.clear();
    for (const answer of this.#known.values()) answer.askedAt = Number.NEGATIVE_INFINITY;
  }

  async #load(secret: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const generation = this.#generation;
    const askedAt = this.#clock().getTime();
    const value = await load();
    // Somebody changed accounts meanwhile: this answer may be from before, so it is neither kept nor given.
    if (generation !== this.#generation) return this.ask(secret, load);
    this.#known.delete(secret);
    this.#unknown.delete(secret);
    if (value === undefined) remember(this.#unknown, secret, { value: undefined, askedAt });
    else remember(this.#known, secret, { value, askedAt });
    return value;
  }
}

function remember<A>(answers: Map<string, A>, secret: string, answer: A): void {
  answers.set(secret, answer);
  if (answers.size > MAXIMUM_ANSWERS) answers.delete(answers.keys().next().value!);
}
