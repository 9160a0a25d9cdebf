/**
 * Blobs in S3 or a server that speaks it (@port BlobStore): MinIO, Ceph, s3rver. Loaded only when configured. Large
 * blobs go up in parts, which nobody sees before the last call.
 */
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
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
import { cloudError, isNotFound } from './cloud-error.js';
import { checkAnswer, guardedStream } from './guarded-stream.js';
import { MeasuredSource } from './measured-source.js';

/** S3's smallest part; with two on their way an upload holds some 15 MB, whatever its length. */
const SMALLEST_PART = 5 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** S3's limit; parts grow when the maximum asks for it. */
const MOST_PARTS = 10_000;
/** Without a known maximum: enough for 80 GB. */
const USUAL_PART = 8 * 1024 * 1024;
/** Above this the part size follows the maximum. */
const LARGEST_BY_SMALLEST_PARTS = SMALLEST_PART * MOST_PARTS;

const CONNECT_TIMEOUT_MS = 5_000;
/** Without a byte in either direction. */
const IDLE_TIMEOUT_MS = 60_000;
const ATTEMPTS = 3;
const CONNECTIONS = 200;

export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; empty: none. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region?: string;
  /** Bucket in the path instead of the host's name; servers other than Amazon's mostly want it. */
  readonly pathStyle: boolean;
}

/** Throws BlobError `bad-setting`. */
export async function openS3Store(place: S3Place): Promise<BlobStore> {
  return new S3Store(await openS3Client(place), place);
}

/** Credentials come from AWS's own chain: environment, shared files, container or instance role. Throws BlobError `bad-setting`. */
export async function openS3Client(place: S3Place): Promise<S3Client> {
  const client = new S3Client({
    // A server with its own endpoint takes any; Amazon's region comes from AWS_REGION or the shared file.
    ...(place.region ? { region: place.region } : place.endpoint ? { region: 'us-east-1' } : {}),
    ...(place.endpoint ? { endpoint: place.endpoint } : {}),
    forcePathStyle: place.pathStyle,
    // Trailing checksums are Amazon's own; others answer with an error or store the trailer (libraries.md, section 8).
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: CONNECTIONS },
      httpsAgent: { keepAlive: true, maxSockets: CONNECTIONS },
    },
  });
  await client.config.region().catch(() => {
    throw new BlobError('bad-setting', 'The region of the S3 bucket is not known.', {
      where: 'blobStore',
      next: 'Add ?region=… to the setting, or set AWS_REGION.',
    });
  });
  return client;
}

class S3Store implements BlobStore {
  readonly kind = 's3';
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(client: S3Client, place: S3Place) {
    this.#client = client;
    this.#bucket = place.bucket;
    this.#prefix = place.prefix ? `${place.prefix}/` : '';
  }

  async put(key: BlobKey, source: AsyncIterable<Uint8Array>, options?: PutOptions) {
    const params = this.#object(key);
    const measured = new MeasuredSource(source, options);
    const body = measured.toReadable();
    try {
      // Not told of the signal: it would leave before its parts are gone. The source ends instead, and it cleans up.
      await new Upload({
        client: this.#client,
        params: { ...params, Body: body, ContentType: 'application/octet-stream' },
        partSize: partSizeFor(options?.maximumBytes),
        queueSize: PARTS_AT_ONCE,
      }).done();
      return measured.finish();
    } catch (error) {
      body.destroy();
      // The signal came when all was sent: the object is there, and must not be.
      if (!measured.failure && options?.signal?.aborted) await this.delete(key);
      throw measured.failure ? measured.failure.error : cloudError('S3', error);
    }
  }

  async get(key: BlobKey, range?: ByteRange): Promise<Readable> {
    const object = this.#object(key);
    checkRange(range);
    try {
      const found = await this.#client.send(
        new GetObjectCommand({ ...object, ...(range ? { Range: `bytes=${range.first}-${range.last}` } : {}) }),
      );
      const body = found.Body as Readable;
      checkAnswer('S3', body, range, found.ContentRange);
      return guardedStream('S3', body, found.ContentLength);
    } catch (error) {
      throw cloudError('S3', error);
    }
  }

  async head(key: BlobKey): Promise<BlobInfo | undefined> {
    const object = this.#object(key);
    try {
      const found = await this.#client.send(new HeadObjectCommand(object));
      return Object.freeze({ key, bytes: found.ContentLength ?? 0, modifiedAt: found.LastModified ?? new Date(0) });
    } catch (error) {
      if (isNotFound('S3', error)) return undefined;
      throw cloudError('S3', error);
    }
  }

  async *list(prefix: string): AsyncGenerator<BlobInfo> {
    for (let token: string | undefined, more = true; more; ) {
      const page = await this.#client
        .send(
          new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#prefix + prefix, ContinuationToken: token }),
        )
        .catch((error) => {
          throw cloudError('S3', error);
        });
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        const key = Key?.slice(this.#prefix.length) ?? '';
        if (isBlobKey(key)) yield Object.freeze({ key, bytes: Size ?? 0, modifiedAt: LastModified ?? new Date(0) });
      }
      token = page.NextContinuationToken;
      more = page.IsTruncated === true && token !== undefined;
    }
  }

  async delete(key: BlobKey): Promise<void> {
    const object = this.#object(key);
    try {
      await this.#client.send(new DeleteObjectCommand(object));
    } catch (error) {
      if (!isNotFound('S3', error)) throw cloudError('S3', error);
    }
  }

  async removeUnfinished(keys: readonly BlobKey[]): Promise<number> {
    let removed = 0;
    for (const { Bucket, Key } of keys.map((key) => this.#object(key))) {
      try {
        const { Uploads = [] } = await this.#client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
        for (const { UploadId } of Uploads.filter((upload) => upload.Key === Key)) {
          await this.#client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
          removed++;
        }
      } catch (error) {
        // Small servers have no such listing; there a lifecycle rule or nothing has to do.
        if (!(error instanceof Error) || error.name !== 'NotImplemented') throw cloudError('S3', error);
      }
    }
    return removed;
  }

  #object(key: BlobKey): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + blobKey(key) };
  }
}

function partSizeFor(maximumBytes: number | undefined): number {
  if (maximumBytes === undefined) return USUAL_PART;
  return maximumBytes <= LARGEST_BY_SMALLEST_PARTS ? SMALLEST_PART : Math.ceil(maximumBytes / MOST_PARTS);
}
