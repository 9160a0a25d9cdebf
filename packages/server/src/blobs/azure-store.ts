/**
 * Blobs in Azure Blob Storage (@port BlobStore). Loaded only when configured. A blob goes up in blocks that nobody sees
 * before the list of them is committed; blocks of an upload that failed are made to go, since Azure keeps them a week.
 */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { BlobServiceClient, type BlockBlobClient, type ContainerClient } from '@azure/storage-blob';
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
import { inBlocks } from './in-blocks.js';
import { MeasuredSource } from './measured-source.js';

/** With two on their way an upload holds 12 MB. Azure takes 50,000 blocks: 200 GB. */
const BLOCK = 4 * 1024 * 1024;
const MOST_BLOCKS = 50_000;
const BLOCKS_AT_ONCE = 2;

/** The SDK's own would make a server that is down a matter of minutes. */
const RETRIES = { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 };

export interface AzurePlace {
  readonly container: string;
  readonly prefix: string;
  /** With an account key or a shared access signature. */
  readonly connectionString: string;
}

/** Throws BlobError `bad-setting` for a connection string that is none. */
export function openAzureStore(place: AzurePlace): BlobStore {
  let service: BlobServiceClient;
  try {
    service = BlobServiceClient.fromConnectionString(place.connectionString, { retryOptions: RETRIES });
  } catch {
    // Without a cause: it may quote the string.
    throw new BlobError('bad-setting', 'AZURE_STORAGE_CONNECTION_STRING is not a connection string.', {
      next: 'Copy it from the storage account’s page “Access keys”.',
    });
  }
  return new AzureStore(service.getContainerClient(place.container), place.prefix ? `${place.prefix}/` : '');
}

class AzureStore implements BlobStore {
  readonly kind = 'azure';
  readonly #container: ContainerClient;
  readonly #prefix: string;

  constructor(container: ContainerClient, prefix: string) {
    this.#container = container;
    this.#prefix = prefix;
  }

  async put(key: BlobKey, source: AsyncIterable<Uint8Array>, options?: PutOptions) {
    const client = this.#client(key);
    const measured = new MeasuredSource(source, options);
    const size = Math.max(BLOCK, Math.ceil((options?.maximumBytes ?? 0) / MOST_BLOCKS));
    const blocks: string[] = [];
    const staging = new Set<Promise<unknown>>();
    // Of this put alone: two that write to one name must not mix their blocks.
    const writer = randomUUID();
    try {
      let whole: Uint8Array | undefined;
      for await (const { block, last } of inBlocks(measured, size)) {
        if (last && blocks.length === 0) {
          whole = block;
          break;
        }
        const id = Buffer.from(`${writer}-${blocks.length.toString().padStart(5, '0')}`).toString('base64');
        blocks.push(id);
        const staged = client.stageBlock(id, block, block.byteLength).finally(() => staging.delete(staged));
        staging.add(staged);
        staged.catch(() => undefined); // It is awaited below, perhaps after another has failed.
        if (staging.size >= BLOCKS_AT_ONCE) await Promise.race(staging);
      }
      await Promise.all(staging);
      const result = measured.finish();
      if (whole) await client.upload(whole, whole.byteLength);
      else await client.commitBlockList(blocks);
      return result;
    } catch (error) {
      await Promise.allSettled(staging);
      if (blocks.length > 0) await discardBlocks(client).catch(() => undefined);
      throw measured.failure ? measured.failure.error : cloudError('Azure Blob', lostBlocks(error));
    }
  }

  async get(key: BlobKey, range?: ByteRange): Promise<Readable> {
    const client = this.#client(key);
    checkRange(range);
    try {
      const found = await client.download(range?.first, range && range.last - range.first + 1);
      const body = found.readableStreamBody as Readable;
      checkAnswer('Azure Blob', body, range, found.contentRange);
      return guardedStream('Azure Blob', body, found.contentLength);
    } catch (error) {
      throw cloudError('Azure Blob', error);
    }
  }

  async head(key: BlobKey): Promise<BlobInfo | undefined> {
    const client = this.#client(key);
    try {
      const found = await client.getProperties();
      return Object.freeze({ key, bytes: found.contentLength ?? 0, modifiedAt: found.lastModified ?? new Date(0) });
    } catch (error) {
      if (isNotFound('Azure Blob', error)) return undefined;
      throw cloudError('Azure Blob', error);
    }
  }

  async *list(prefix: string): AsyncGenerator<BlobInfo> {
    try {
      for await (const { name, properties } of this.#container.listBlobsFlat({ prefix: this.#prefix + prefix })) {
        const key = name.slice(this.#prefix.length);
        if (!isBlobKey(key)) continue;
        yield Object.freeze({ key, bytes: properties.contentLength ?? 0, modifiedAt: properties.lastModified });
      }
    } catch (error) {
      throw cloudError('Azure Blob', error);
    }
  }

  async delete(key: BlobKey): Promise<void> {
    const client = this.#client(key);
    try {
      await client.delete({ deleteSnapshots: 'include' });
    } catch (error) {
      if (!isNotFound('Azure Blob', error)) throw cloudError('Azure Blob', error);
    }
  }

  async removeUnfinished(keys: readonly BlobKey[]): Promise<number> {
    let removed = 0;
    for (const key of keys) {
      try {
        if (await discardBlocks(this.#client(key))) removed++;
      } catch (error) {
        throw cloudError('Azure Blob', error);
      }
    }
    return removed;
  }

  #client(key: BlobKey): BlockBlobClient {
    return this.#container.getBlockBlobClient(this.#prefix + blobKey(key));
  }
}

/**
 * Blocks go when something else is written under their name: an empty blob, which then goes too. Not where a whole blob
 * lies under it: there Azure lets the blocks go after a week.
 */
async function discardBlocks(client: BlockBlobClient): Promise<boolean> {
  try {
    const { uncommittedBlocks = [] } = await client.getBlockList('uncommitted');
    if (uncommittedBlocks.length === 0 || (await client.exists())) return false;
    // Not `upload`: to azurite the blocks alone are a blob that exists.
    const { etag } = await client.commitBlockList([], { conditions: { ifNoneMatch: '*' } });
    await client.delete({ conditions: { ifMatch: etag } });
    return true;
  } catch (error) {
    if (isNotFound('Azure Blob', error)) return false;
    throw error;
  }
}

/** Another put to this name was committed first, and its commit let our blocks go: may be tried again, says the port. */
function lostBlocks(error: unknown): unknown {
  const { code } = Object(error) as { readonly code?: unknown };
  return code === 'InvalidBlockList' ? { statusCode: 409, code } : error;
}
