/**
 * What a vendor's SDK throws, in our words. Only status and code are taken: their errors carry requests, and those carry
 * signatures, tokens and connection strings, which must not reach a log; so there is no `cause` either.
 */
import { isFailure } from '@isocenter/volume';
import { BlobError, badRange, notFound } from './blob-error.js';
import { noSpace } from './file-error.js';

export type Vendor = 'S3' | 'Azure Blob' | 'Google Cloud Storage';

/** 404s that speak of the place, not of the blob. */
const NO_SUCH_PLACE = new Set(['NoSuchBucket', 'ContainerNotFound', 'NoSuchUpload']);
/** Thrown before anything is sent. */
const NO_CREDENTIALS = /credential|authentication/i;

interface Parts {
  readonly status: number | undefined;
  readonly code: string;
}

export function cloudError(vendor: Vendor, error: unknown): unknown {
  if (isFailure(error)) return error;
  const { status, code } = partsOf(error);
  if (status === 404 && !NO_SUCH_PLACE.has(code)) return notFound();
  if (status === 416) return badRange();
  if (status === 507) return noSpace();
  const where = [status, code].filter(Boolean).join(' ');
  if (NO_CREDENTIALS.test(code) && status === undefined) {
    return new BlobError('store-refused', `There are no credentials for ${vendor}.`, {
      where,
      next: 'Give the server credentials the way this vendor’s tools take them (docs/how-to/object-storage.md).',
    });
  }
  if (status !== undefined && status >= 400 && status < 500 && !MAY_PASS.has(status)) {
    return new BlobError('store-refused', `${vendor} refuses.`, {
      where,
      next: 'Check that the bucket or container exists and that the rights of docs/how-to/object-storage.md are granted.',
    });
  }
  return new BlobError('store-unavailable', `${vendor} cannot be reached, or does not answer as it should.`, {
    where,
    next: 'Check network and endpoint; the server tries again by itself.',
  });
}

/** Timeout, conflict with another write, precondition, too many requests. */
const MAY_PASS = new Set([408, 409, 412, 429]);

export function isNotFound(vendor: Vendor, error: unknown): boolean {
  const known = cloudError(vendor, error);
  return known instanceof BlobError && known.kind === 'not-found';
}

/** S3: $metadata.httpStatusCode and name; Azure: statusCode and code; fetch: a system's code in its cause. */
function partsOf(error: unknown): Parts {
  const e = Object(error) as {
    readonly $metadata?: { readonly httpStatusCode?: unknown };
    readonly statusCode?: unknown;
    readonly status?: unknown;
    readonly code?: unknown;
    readonly name?: unknown;
    readonly cause?: { readonly code?: unknown };
  };
  const status = [e.$metadata?.httpStatusCode, e.statusCode, e.status, e.code].find(
    (value): value is number => typeof value === 'number',
  );
  const code = [e.code, e.cause?.code, e.name].find(
    (value) => typeof value === 'string' && /^[\w.-]{1,60}$/.test(value),
  );
  return { status, code: typeof code === 'string' ? code : '' };
}
