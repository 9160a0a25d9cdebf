/** From the credentials of a request to who asks: the only code on the way of every request, so it stays off the database. */

import type { AccountContext } from './account-context.js';
import { AccountError } from './account-error.js';
import type { Credentials } from './accounts.js';
import type { Actor } from './actor.js';
import { type KeyRecord, loadKey, useKey } from './keys.js';
import { isLoopback, limitedPlace } from './networks.js';
import { RecentAnswers } from './recent-answers.js';
import { loadSession, type SessionRecord, useSession } from './sessions.js';
import { TokenBuckets } from './token-buckets.js';
import { looksLikeKey, looksLikeToken, sameSecret, sha256 } from './tokens.js';

/** Of secrets that the database did not know, per address; a client with an old key in its configuration stays below. */
const WRONG_AT_ONCE = 60;
const WRONG_EVERY_MS = 500;

const OWNER: Actor = Object.freeze({
  kind: 'local',
  id: 'local',
  name: 'Owner of the data directory',
  role: 'administrator',
});

export class Authenticator {
  readonly #context: AccountContext;
  readonly #localToken: string | undefined;
  readonly #keys: RecentAnswers<KeyRecord>;
  readonly #sessions: RecentAnswers<SessionRecord>;
  readonly #wrong: TokenBuckets;

  constructor(context: AccountContext, localToken: string | undefined) {
    const { settings, clock } = context;
    this.#context = context;
    this.#localToken = localToken;
    this.#keys = new RecentAnswers(settings.believedMs, clock);
    this.#sessions = new RecentAnswers(settings.believedMs, clock);
    this.#wrong = new TokenBuckets(WRONG_AT_ONCE, WRONG_EVERY_MS, clock);
  }

  forget(): void {
    this.#keys.forget();
    this.#sessions.forget();
  }

  async authenticate({ bearer, sessionToken, address, looking }: Credentials): Promise<Actor | undefined> {
    // Whoever sends a bearer means it: a wrong one is not made good by a cookie that happens to be there.
    if (bearer !== undefined) {
      if (looksLikeKey(bearer)) {
        const key = await this.#find(this.#keys, bearer, address, (hash) => loadKey(this.#context, hash));
        return key && useKey(this.#context, key, looking);
      }
      // Only from this machine, whatever becomes of the file that holds it.
      const owner = this.#localToken !== undefined && isLoopback(address) && sameSecret(bearer, this.#localToken);
      return owner ? OWNER : undefined;
    }
    if (sessionToken === undefined || !looksLikeToken(sessionToken)) return undefined;
    const session = await this.#find(this.#sessions, sessionToken, address, (hash) => loadSession(this.#context, hash));
    return session && useSession(this.#context, session, looking);
  }

  async #find<T>(
    answers: RecentAnswers<T>,
    secret: string,
    address: string,
    load: (hash: Buffer) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    // The hash, not the secret, is the key in memory: a heap dump holds no keys.
    const hash = sha256(secret);
    const id = hash.toString('base64');
    const recalled = answers.recall(id);
    if (recalled.found) return recalled.value;
    const guess = !answers.wasKnown(id);
    const place = limitedPlace(address);
    const retryAfterMs = guess ? this.#wrong.wait(place) : 0;
    if (retryAfterMs > 0) {
      throw new AccountError('rate-limited', 'Too many requests with wrong keys or sessions from this address', {
        next: 'Check the key, and try again in a second.',
        retryAfterMs,
      });
    }
    const value = await answers.ask(id, () => load(hash));
    if (value === undefined) this.#wrong.take(place);
    return value;
  }
}
