/** DICOM date-times (PS3.5 6.2, VR DT; a DA and a TM put together read the same) as seconds apart. */

const FORM = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})?(\d{2})?(\.\d{1,6})?/;

/** Seconds from `a` to `b`; undefined when either is no date with at least an hour. Zone suffixes are not read: both come from one scanner. */
export function secondsBetween(a: string, b: string): number | undefined {
  const from = secondsOf(a);
  const to = secondsOf(b);
  return from === undefined || to === undefined ? undefined : to - from;
}

function secondsOf(text: string): number | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 + Number(match[7] ?? 0);
}
