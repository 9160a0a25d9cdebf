/**
 * The configuration of a process: every setting with its value and where that came from. Modules take what they need of
 * it as arguments and never read the environment themselves.
 */
import type { Setting } from './setting.js';
import type { Settings } from './settings.js';

export type Configuration = {
  readonly [K in keyof Settings]: Settings[K] extends Setting<infer T> ? T : never;
};

/** 'default', 'file', 'environment' or 'flag'. */
export type Origin = 'default' | 'file' | 'environment' | 'flag';

export interface ReadConfiguration {
  readonly values: Configuration;
  readonly origins: Readonly<Record<keyof Settings, Origin>>;
  /** The file that was read, if there is one. */
  readonly file: string | undefined;
  /** set_environment.sh, if there is one: names that were taken from it, and numbers of lines that say nothing. */
  readonly environmentFile:
    | { readonly path: string; readonly taken: readonly string[]; readonly unread: readonly number[] }
    | undefined;
  /** Variables of InnerEye-Inference that are there and have no effect here. */
  readonly ignored: readonly string[];
}
