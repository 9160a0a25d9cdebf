/** One thing that can be set: how its text is read, what it is for, and what it is when nobody sets it. */
import type { z } from 'zod';

export interface Setting<T = unknown> {
  /** For the value as JSON, as it stands in the file. */
  readonly schema: z.ZodType<T>;
  readonly fallback: T;
  /** A sentence for `isocenter config` and the reference page. */
  readonly about: string;
  /** Never printed. */
  readonly secret?: boolean;
  /** Name in the environment, where it is not ISOCENTER_ and the key in capitals. */
  readonly environment?: string;
}

export function setting<T>(
  schema: z.ZodType<T>,
  fallback: T,
  about: string,
  more: Partial<Setting<T>> = {},
): Setting<T> {
  return { schema, fallback, about, ...more };
}

/** `diskReserveMegabytes` → `ISOCENTER_DISK_RESERVE_MEGABYTES`. */
export function environmentName(key: string, { environment }: Setting): string {
  return environment ?? `ISOCENTER_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
