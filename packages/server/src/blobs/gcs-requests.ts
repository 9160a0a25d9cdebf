/**
 * The few requests of Google Cloud Storage's JSON API that a blob store needs. The SDK gives the credentials and nothing
 * else: destroyed in the middle, its uploads stay open half sent, and its downloads hang when a connection is cut.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';
import { isFailure } from '@isocenter/volume';
import { cloudError } from './cloud-error.js';

const GOOGLE = 'https://storage.googleapis.com';
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 200;
/** For requests whose body and answer are at most one chunk. */
const TIMEOUT_MS = 60_000;

export interface GcsRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The answer is a stream of any length. */
  readonly streams?: boolean;
}

export class GcsRequests {
  readonly #endpoint: string;
  readonly #storage: Storage | undefined;

  /** Credentials by Google's own chain; none for an emulator, which is one by its plain http. */
  constructor(endpoint = GOOGLE, withCredentials = endpoint.startsWith('https:')) {
    this.#endpoint = endpoint;
    this.#storage = withCredentials ? new Storage() : undefined;
  }

  /** Throws BlobError for any status but 2xx and those in `also`; tries again what may pass. */
  async send(place: string, request: GcsRequest = {}, also: readonly number[] = []): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.once(place, request).catch((error: unknown) => ({ error }));
      if ('error' in outcome) {
        const settled = isFailure(outcome.error) && outcome.error.kind !== 'store-unavailable';
        if (settled || attempt === ATTEMPTS) throw cloudError('Google Cloud Storage', outcome.error);
      } else {
        if (outcome.ok || also.includes(outcome.status)) return outcome;
        await outcome.body?.cancel();
        const passing = outcome.status === 429 || outcome.status >= 500;
        if (!passing || attempt === ATTEMPTS) {
          throw cloudError('Google Cloud Storage', { statusCode: outcome.status });
        }
      }
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }

  /** `place`: a path of the API, or the whole address of a session. Throws what `fetch` and the credentials throw. */
  async once(place: string, request: GcsRequest): Promise<Response> {
    const url = new URL(place, this.#endpoint);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers = await this.#credentials();
    for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name, value);
    return fetch(url, {
      method: request.method ?? 'GET',
      headers,
      redirect: 'manual', // 308 is no redirection here, and others are not to be followed
      ...(request.body ? { body: request.body } : {}),
      ...(request.streams ? {} : { signal: AbortSignal.timeout(TIMEOUT_MS) }),
    });
  }

  async #credentials(): Promise<Headers> {
    if (!this.#storage) return new Headers();
    try {
      return new Headers(
        (await this.#storage.authClient.getRequestHeaders(GOOGLE)) as unknown as Record<string, string>,
      );
    } catch (error) {
      // Its errors have neither code nor status when there is nothing to be found.
      const none = error instanceof Error && /credentials/.test(error.message);
      throw cloudError('Google Cloud Storage', none ? { code: 'NoCredentials' } : error);
    }
  }
}
