/**
 * argon2id (RFC 9106; OWASP's 19 MiB, 2 passes, 1 lane), a few at a time: each hash takes a thread of libuv's four and 19 MiB for
 * 60 ms, so a flood of sign-ins would otherwise stop file reads and eat the memory of the whole server.
 */
import { hash, type Options, verify } from '@node-rs/argon2';
import { AccountError } from './account-error.js';
import { normalPassword } from './password-policy.js';
import { newToken } from './tokens.js';

/** The package's const enum cannot be used with isolatedModules. */
const ARGON2ID = 2;
/** OWASP's; kibibytes and passes. */
const COST = Object.freeze({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });
/** Half of libuv's threads stay for files. */
const AT_ONCE = 2;
/** About a second of waiting; who comes later is told to. */
const MAXIMUM_WAITING = 32;
const RETRY_AFTER_MS = 2000;

export class PasswordHasher {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #parameters: Options;
  /** Of no password; verified for names that do not exist, so that they take as long as those that do. */
  #nobody: Promise<string> | undefined;

  /** `cost`: only for tests, of which each makes several accounts. */
  constructor(cost: Pick<Options, 'memoryCost' | 'timeCost'> = {}) {
    this.#parameters = { algorithm: ARGON2ID, ...COST, ...cost };
  }

  async hash(password: string): Promise<string> {
    return this.#gated(() => hash(normalPassword(password), this.#parameters));
  }

  /** Undefined `stored`: false, after the same work. Throws AccountError `busy`. */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    this.#nobody ??= hash(newToken(), this.#parameters);
    const against = stored ?? (await this.#nobody);
    const same = await this.#gated(() => verify(against, normalPassword(password)));
    return same && stored !== undefined;
  }

  async #gated<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MAXIMUM_WAITING) {
        throw new AccountError('busy', 'Too many people sign in at this moment', {
          next: 'Try again in a few seconds.',
          retryAfterMs: RETRY_AFTER_MS,
        });
      }
      // Whoever leaves hands its place over, so `#running` stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
