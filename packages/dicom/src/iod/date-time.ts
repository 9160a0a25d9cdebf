/** DA, TM and DT of a moment (PS3.5 6.2), by the machine's clock as the study's own dates are by the scanner's. */

const two = (n: number): string => String(n).padStart(2, '0');

export interface DateTime {
  readonly date: string;
  readonly time: string;
}

/** Local date and time without a zone: what Series Date, Content Time … mean where Timezone Offset From UTC is absent. */
export function localDateTime(now: Date): DateTime {
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
