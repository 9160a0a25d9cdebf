/** The configuration as people and scripts read it: every setting with value, source, variable and meaning. */
import type { Origin, ReadConfiguration } from './configuration.js';
import { environmentName, type Setting } from './setting.js';
import { type Settings, settings } from './settings.js';

export interface DescribedSetting {
  readonly key: string;
  /** As JSON; secrets as '(set)'. */
  readonly value: unknown;
  readonly origin: Origin;
  readonly environment: string;
  readonly about: string;
}

export function describeConfiguration({ values, origins }: ReadConfiguration): readonly DescribedSetting[] {
  return (Object.keys(settings) as (keyof Settings)[]).map((key) => {
    const one: Setting = settings[key];
    const value: unknown = values[key];
    return {
      key,
      value: value === undefined ? null : one.secret ? '(set)' : value,
      origin: origins[key],
      environment: environmentName(key, one),
      about: one.about,
    };
  });
}
