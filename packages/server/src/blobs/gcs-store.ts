/**
 * Blobs in Google Cloud Storage (@port BlobStore). Loaded only when configured. What fits into one chunk goes up in one
 * request; the rest in a session of chunks.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { BlobError } from './blob-error.js';
import {
  type BlobInfo,
  type BlobKey,
  type BlobStore,
  type ByteRange,
  blobKey,
  checkRange,
  isBlobKey,
  type PutOptions,
} from './blob-store.js';
import { cloudError } from './cloud-error.js';
import { GcsRequests } from './gcs-requests.js';
import { GcsSession } from './gcs-session.js';
import { checkAnswer, guardedStream } from './guarded-stream.js';
import { inBlocks } from './in-blocks.js';
import { MeasuredSource } from './measured-source.js';

/** A multiple of 256 KiB, as Google asks; what an upload holds in memory. */
const CHUNK = 8 * 1024 * 1024;

export interface GcsPlace {
  readonly bucket: string;
  readonly prefix: string;
  /** Another address than Google's usual one; with plain http an emulator, asked without credentials. */
  readonly endpoint?: string;
}

interface Metadata {
  readonly name: string;
  readonly size: string;
  readonly updated: string;
  readonly md5Hash?: string;
}

/** Credentials come from Google's own chain: GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the machine's account. */
export function openGcsStore(place: GcsPlace): BlobStore {
  return new GcsStore(new GcsRequests(place.endpoint), place.bucket, place.prefix ? `${place.prefix}/` : '');
}

class GcsStore implements BlobStore {
  readonly kind = 'gcs';
  readonly #requests: GcsRequests;
  readonly #objects: string;
  readonly #uploads: string;
  readonly #prefix: string;

  constructor(requests: GcsRequests, bucket: string, prefix: string) {
    this.#requests = requests;
    this.#objects = `/storage/v1/b/${bucket}/o`;
    this.#uploads = `/upload${this.#objects}`;
    this.#prefix = prefix;
  }

  async put(key: BlobKey, source: AsyncIterable<Uint8Array>, options?: PutOptions) {
    const name = this.#prefix + blobKey(key);
    const measured = new MeasuredSource(source, options);
    const md5 = createHash('md5');
    let session: GcsSession | undefined;
    let ended = false;
    try {
      for await (const { block, last } of inBlocks(measured, CHUNK)) {
        md5.update(block);
        if (!last) {
          session ??= await GcsSession.open(this.#requests, this.#uploads, name);
          await session.chunk(block, false);
          continue;
        }
        const result = measured.finish();
        const query = { uploadType: 'media', name };
        const answer = session
          ? await session.chunk(block, true)
          : await this.#requests.send(this.#uploads, { method: 'POST', query, body: block });
        ended = true;
        const metadata = (await answer?.json()) as Metadata | undefined;
        if (metadata?.md5Hash !== md5.digest('base64')) throw await this.#changedOnTheWay(key);
        return result;
      }
      throw new TypeError('blocks end with a last one');
    } catch (error) {
      if (!ended) await session?.cancel().catch(() => undefined);
      throw measured.failure ? measured.failure.error : cloudError('Google Cloud Storage', error);
    }
  }

  async get(key: BlobKey, range?: ByteRange): Promise<Readable> {
    const place = this.#place(key);
    checkRange(range);
    // Compressed on the way it would have another length, and ranges of something else.
    const headers = {
      'accept-encoding': 'identity',
      ...(range ? { range: `bytes=${range.first}-${range.last}` } : {}),
    };
    const answer = await this.#requests.send(place, { query: { alt: 'media' }, headers, streams: true });
    const body = answer.body ? Readable.fromWeb(answer.body as ReadableStream) : Readable.from([]);
    checkAnswer('Google Cloud Storage', body, range, answer.headers.get('content-range') ?? undefined);
    const length = answer.headers.get('content-length');
    return guardedStream('Google Cloud Storage', body, length === null ? undefined : Number(length));
  }

  async head(key: BlobKey): Promise<BlobInfo | undefined> {
    const answer = await this.#requests.send(this.#place(key), {}, [404]);
    if (answer.ok) return info(key, (await answer.json()) as Metadata);
    await answer.body?.cancel();
    return undefined;
  }

  async *list(prefix: string): AsyncGenerator<BlobInfo> {
    let pageToken: string | undefined;
    do {
      const query = { prefix: this.#prefix + prefix, pageToken, fields: 'nextPageToken,items(name,size,updated)' };
      const answer = await this.#requests.send(this.#objects, { query });
      const page = (await answer.json()) as { readonly nextPageToken?: string; readonly items?: readonly Metadata[] };
      for (const metadata of page.items ?? []) {
        const key = metadata.name.slice(this.#prefix.length);
        if (isBlobKey(key)) yield info(key, metadata);
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }

  async delete(key: BlobKey): Promise<void> {
    const answer = await this.#requests.send(this.#place(key), { method: 'DELETE' }, [404]);
    await answer.body?.cancel();
  }

  async #changedOnTheWay(key: BlobKey): Promise<BlobError> {
    await this.delete(key);
    return new BlobError(
      'store-unavailable',
      'Google Cloud Storage has other bytes than were sent; nothing was kept.',
      {
        next: 'Send it again.',
      },
    );
  }

  #place(key: BlobKey): string {
    return `${this.#objects}/${encodeURIComponent(this.#prefix + blobKey(key))}`;
  }
}

function info(key: BlobKey, { size, updated }: Metadata): BlobInfo {
  return Object.freeze({ key, bytes: Number(size), modifiedAt: new Date(updated) });
}
