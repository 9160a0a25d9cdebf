/**
 * An upload in chunks (Google's "resumable upload"): an object only with the last chunk, which alone tells the length. A
 * chunk whose answer was lost is asked for, and what is missing sent again.
 */
import { cloudError } from './cloud-error.js';
import type { GcsRequests } from './gcs-requests.js';

/** The session goes on. */
const MORE = 308;
/** What Google answers when a session was cancelled. */
const CANCELLED = 499;
const ATTEMPTS = 3;

export class GcsSession {
  readonly #requests: GcsRequests;
  readonly #address: string;
  #sent = 0;

  private constructor(requests: GcsRequests, address: string) {
    this.#requests = requests;
    this.#address = address;
  }

  static async open(requests: GcsRequests, place: string, name: string): Promise<GcsSession> {
    const answer = await requests.send(place, { method: 'POST', query: { uploadType: 'resumable', name } });
    await answer.body?.cancel();
    const address = answer.headers.get('location');
    if (!address) throw cloudError('Google Cloud Storage', { code: 'NoSession' });
    return new GcsSession(requests, address);
  }

  /** All but the last must be a multiple of 256 KiB. Of the last: the object's metadata. */
  async chunk(bytes: Uint8Array, last: boolean): Promise<Response | undefined> {
    const end = this.#sent + bytes.byteLength;
    const total = last ? `${end}` : '*';
    for (let attempt = 1; ; attempt++) {
      const rest = bytes.subarray(bytes.byteLength - (end - this.#sent));
      const range = rest.byteLength > 0 ? `${this.#sent}-${end - 1}` : '*';
      const answer = await this.#put(rest, `bytes ${range}/${total}`).catch((error: unknown) => {
        if (attempt === ATTEMPTS) throw cloudError('Google Cloud Storage', error);
        return undefined;
      });
      if (answer?.ok) return answer;
      await answer?.body?.cancel();
      const status = answer?.status;
      if (status === MORE) this.#sent = heldBytes(answer);
      else if (attempt === ATTEMPTS || (status !== undefined && status < 500 && status !== 429)) {
        throw cloudError('Google Cloud Storage', { statusCode: status });
      } else {
        const state = await this.#requests.send(
          this.#address,
          { method: 'PUT', headers: { 'content-range': `bytes */${total}` } },
          [MORE],
        );
        if (state.ok) return state;
        await state.body?.cancel();
        this.#sent = heldBytes(state);
      }
      if (this.#sent === end && !last) return undefined;
    }
  }

  /** Or Google keeps the chunks for a week, where nobody can read them. */
  async cancel(): Promise<void> {
    const answer = await this.#requests.send(this.#address, { method: 'DELETE' }, [CANCELLED, 404, 410]);
    await answer.body?.cancel();
  }

  #put(body: Uint8Array, range: string): Promise<Response> {
    return this.#requests.once(this.#address, { method: 'PUT', body, headers: { 'content-range': range } });
  }
}

function heldBytes(answer: Response | undefined): number {
  const [, last] = /-(\d+)$/.exec(answer?.headers.get('range') ?? '') ?? [];
  return last === undefined ? 0 : Number(last) + 1;
}
