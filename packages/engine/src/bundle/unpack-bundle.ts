/** A zipped bundle becomes a private folder keyed by the zip's hash. */
import { BundleError } from './bundle-error.js';

/** Path of the folder that holds `configs/`. Throws BundleError `archive`. */
export async function unpackBundle(zip: string): Promise<string> {
  throw new BundleError('archive', 'Zipped bundles cannot be read yet', {
    where: zip,
    next: 'Unpack the zip and give the folder',
  });
}
