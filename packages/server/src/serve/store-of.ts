/** The blob store that the configuration names. */
import type { BlobStore } from '../blobs/blob-store.js';
import { openBlobStore } from '../blobs/open-blob-store.js';
import type { Configuration } from '../configuration/configuration.js';

export function storeOf({ home, blobStore, azureConnectionString }: Configuration): Promise<BlobStore> {
  return openBlobStore({
    home,
    ...(blobStore === undefined ? {} : { store: blobStore }),
    ...(azureConnectionString === undefined ? {} : { azureConnectionString }),
  });
}
