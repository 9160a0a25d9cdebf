/** The units of the settings, in bytes and milliseconds. */
export const MEGABYTE = 2 ** 20;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
