/** The blob store that the configuration names. */
import { join } from 'node:path';
import type { BlobStore } from '../blobs/blob-store.js';
import { openBlobStore } from '../blobs/open-blob-store.js';
import type { Configuration } from '../configuration/configuration.js';

export function storeOf({ home, blobStore }: Configuration): Promise<BlobStore> {
  return openBlobStore(blobStore, { folder: join(home, 'blobs') });
}
