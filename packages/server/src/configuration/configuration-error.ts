/** What is wrong with the settings of a process. */
import { Failure } from '@isocenter/volume';

export type ConfigurationErrorKind = 'unreadable-file' | 'unknown-setting' | 'bad-value';

export class ConfigurationError extends Failure<ConfigurationErrorKind> {}
