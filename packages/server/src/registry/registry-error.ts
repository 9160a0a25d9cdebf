/** Why the registry refuses. `where` is a field, an address or a file of the bundle, never a path of the server. */
import { Failure } from '@isocenter/volume';

export type RegistryErrorKind =
  | 'not-found'
  | 'wrong-name'
  | 'wrong-fields'
  | 'wrong-form'
  | 'address-taken'
  | 'too-large'
  | 'not-a-model'
  | 'unsupported-model'
  /** What was handed in is not what its own checksums say. */
  | 'damaged'
  /** What is stored or shipped is not what was added. */
  | 'checksum-mismatch'
  | 'in-use'
  | 'shipped'
  | 'not-here';

export class RegistryError extends Failure<RegistryErrorKind> {}
