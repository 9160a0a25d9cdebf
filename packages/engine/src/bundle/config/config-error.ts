/** Why a bundle's configuration cannot be evaluated. */
import { Failure } from '@isocenter/volume';

export type ConfigErrorKind =
  | 'unknown-id'
  | 'circular-reference'
  | 'macro'
  | 'limit'
  | 'invalid-item'
  | 'duplicate-key';

/** `where` is the path of ids. */
export class ConfigError extends Failure<ConfigErrorKind> {}
