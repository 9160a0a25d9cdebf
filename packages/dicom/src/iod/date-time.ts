/** DA, TM and DT of a moment (PS3.5 6.2): in the zone that the data set names for all of its times, else by the machine's clock. */
import type { Dataset } from '../dataset/dataset.js';

const two = (n: number): string => String(n).padStart(2, '0');

export interface DateTime {
  readonly date: string;
  readonly time: string;
}

const MINUTE_MS = 60_000;

/**
 * What Series Date, Content Time … are in this data set: Timezone Offset From UTC, which is copied from the images, applies
 * to every DA and TM in it (PS3.3 C.12.1.1.8). Without it, the machine's local time, as scanners do.
 */
export function localDateTime(now: Date, dataset: Dataset): DateTime {
  const [, sign, hours, minutes] = /^([+-])(\d{2})(\d{2})$/.exec(dataset.string('TimezoneOffsetFromUTC') ?? '') ?? [];
  if (sign !== undefined) {
    const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
    return utcDateTime(new Date(now.getTime() + offset * MINUTE_MS));
  }
  return {
    date: `${String(now.getFullYear()).padStart(4, '0')}${two(now.getMonth() + 1)}${two(now.getDate())}`,
    time: `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`,
  };
}

export function utcDateTime(now: Date): DateTime {
  return {
    date: `${String(now.getUTCFullYear()).padStart(4, '0')}${two(now.getUTCMonth() + 1)}${two(now.getUTCDate())}`,
    time: `${two(now.getUTCHours())}${two(now.getUTCMinutes())}${two(now.getUTCSeconds())}`,
  };
}

/** DT with the zone said, in UTC: the same text on every machine. */
export function dateTimeText(now: Date): string {
  const { date, time } = utcDateTime(now);
  return `${date}${time}+0000`;
}
