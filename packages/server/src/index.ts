export type { Actor } from './accounts/actor.js';
export type { Configuration, Origin, ReadConfiguration } from './configuration/configuration.js';
export { type DescribedSetting, describeConfiguration } from './configuration/describe-configuration.js';
export {
  ConfigurationError,
  type ConfigurationErrorKind,
  type ConfigurationSources,
  readConfiguration,
} from './configuration/read-configuration.js';
