/**
 * The store that a setting names; a vendor's SDK is loaded only here, and only when it is asked for.
 *
 *   file:                                    <home>/blobs; also when nothing is set
 *   file:///srv/isocenter                    a folder
 *   s3://bucket/prefix?region=…&endpoint=…   pathStyle=true|false; by default true with an endpoint
 *   azure://container/prefix                 the connection string comes apart, as it is a secret
 *   gs://bucket/prefix?endpoint=…
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlobError } from './blob-error.js';
import type { BlobStore } from './blob-store.js';
import { openFileStore } from './file-store.js';
import type { Marker } from './marker.js';
import type { S3Place } from './s3-store.js';

export interface BlobStoreSetting {
  /** One of the above. */
  readonly store?: string;
  /** The data directory. */
  readonly home: string;
  /** AZURE_STORAGE_CONNECTION_STRING. The other vendors' SDKs find their credentials themselves. */
  readonly azureConnectionString?: string;
}

/** Throws BlobError `bad-setting`; `store-refused` for a folder that cannot be made. Asks no network. */
export async function openBlobStore(setting: BlobStoreSetting): Promise<BlobStore> {
  const text = setting.store?.trim() || 'file:';
  if (text.startsWith('file:')) return openFileStore(folderOf(text, setting.home));
  const url = parse(text);
  const { bucket, prefix } = placeOf(url);
  switch (url.protocol) {
    case 's3:': {
      const { openS3Store } = await import('./s3-store.js');
      return openS3Store(s3PlaceOf(url));
    }
    case 'azure:': {
      options(url, []);
      const connectionString = setting.azureConnectionString;
      if (!connectionString) throw bad('azure: needs AZURE_STORAGE_CONNECTION_STRING');
      const { openAzureStore } = await import('./azure-store.js');
      return openAzureStore({ container: bucket, prefix, connectionString });
    }
    case 'gs:': {
      const { endpoint } = options(url, ['endpoint']);
      const { openGcsStore } = await import('./gcs-store.js');
      return openGcsStore({
        bucket,
        prefix,
        ...(endpoint === undefined ? {} : { endpoint: checkedEndpoint(endpoint) }),
      });
    }
    default:
      throw bad('it must begin with file:, s3:, azure: or gs:');
  }
}

/** Marks in a bucket: `s3://bucket/prefix?…` as above, or the bare name of a bucket. Throws BlobError `bad-setting`. Asks no network. */
export async function openMarker(setting: string): Promise<Marker> {
  const place = markedPlace(setting);
  const { openS3Marker } = await import('./s3-marker.js');
  return openS3Marker(place);
}

function markedPlace(setting: string): S3Place {
  try {
    const url = parse(/^[\w.-]+$/.test(setting) ? `s3://${setting}` : setting);
    if (url.protocol === 's3:') return s3PlaceOf(url);
  } catch {
    // Its words are about the blob store.
  }
  throw new BlobError('bad-setting', 'The setting requestAuditBucket is not the name of a bucket of S3, nor its URL.', {
    where: 'requestAuditBucket',
    next: 'S3_AUDIT_BUCKET_NAME=bucket, or s3://bucket/prefix?region=…&endpoint=…',
  });
}

function s3PlaceOf(url: URL): S3Place {
  const { bucket, prefix } = placeOf(url);
  const { endpoint, region, pathStyle } = options(url, ['endpoint', 'region', 'pathStyle']);
  if (pathStyle !== undefined && !/^(true|false)$/.test(pathStyle)) throw bad('pathStyle must be true or false');
  return {
    bucket,
    prefix,
    pathStyle: pathStyle === undefined ? endpoint !== undefined : pathStyle === 'true',
    ...(endpoint === undefined ? {} : { endpoint: checkedEndpoint(endpoint) }),
    ...(region === undefined ? {} : { region }),
  };
}

function folderOf(text: string, home: string): string {
  const path = text.slice('file:'.length);
  if (path === '') return join(home, 'blobs');
  if (!path.startsWith('//')) return resolve(home, path);
  try {
    return fileURLToPath(text);
  } catch {
    throw bad('a folder is written file:///its/path');
  }
}

function parse(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw bad('it is no URL');
  }
  // Not repeated in the message: it may be the secret.
  if (url.username || url.password) throw bad('credentials do not belong into it; give them the vendor’s own way');
  if (url.hash) throw bad('# has no meaning in it');
  return url;
}

function placeOf(url: URL): { readonly bucket: string; readonly prefix: string } {
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (!/^[\w.-]+$/.test(url.hostname) || url.port) throw bad('the name of the bucket or container is missing or odd');
  if (!/^[\w.-]*(\/[\w.-]+)*$/.test(prefix)) throw bad('a prefix may have only letters, digits, _ . - and /');
  return { bucket: url.hostname, prefix };
}

function options<K extends string>(url: URL, known: readonly K[]): Partial<Record<K, string>> {
  const found: Partial<Record<K, string>> = {};
  for (const [name, value] of url.searchParams) {
    const option = known.find((candidate) => candidate === name);
    if (!option) throw bad(`it has an option that this kind does not know; known are: ${known.join(', ') || 'none'}`);
    if (value) found[option] = value;
  }
  return found;
}

function checkedEndpoint(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw bad('endpoint is no URL');
  }
  if (!/^https?:$/.test(url.protocol)) throw bad('endpoint must be http or https');
  if (url.username || url.password || url.search) throw bad('endpoint may hold neither credentials nor a query');
  return url.href.replace(/\/$/, '');
}

function bad(why: string): BlobError {
  return new BlobError('bad-setting', `The setting blobStore cannot be used: ${why}.`, {
    where: 'blobStore',
    next: 'docs/how-to/object-storage.md has an example of each.',
  });
}
