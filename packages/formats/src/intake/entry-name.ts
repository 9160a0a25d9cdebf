/**
 * Names inside archives. None is ever used as a path here, so a climbing name could do no harm; but it is an attack, or
 * a broken tool, and whoever unpacks the same archive elsewhere would be hit: the whole archive is refused.
 */
import { ArchiveError } from './archive-error.js';

/** Litter that operating systems add to archives; it is never an image. */
const LITTER = /(^|\/)(__MACOSX\/|\._[^/]*$|\.DS_Store$|Thumbs\.db$|desktop\.ini$)/i;

/** Returns the name with `/` as separator; throws ArchiveError `unsafe-name`. `position` counts entries from 1. */
export function checkEntryName(raw: string, position: number): string {
  // Old .NET tools write backslashes as separators.
  const name = raw.replaceAll('\\', '/');
  const climbs = name.split('/').includes('..');
  const absolute = name.startsWith('/') || /^[A-Za-z]:/.test(name);
  if (climbs || absolute || name.includes('\0'))
    throw new ArchiveError('unsafe-name', 'The archive holds a name that points outside of it', {
      where: `entry ${position}`,
      next: 'Do not trust this archive. If it is yours, pack the folder again with relative names.',
    });
  return name;
}

export function isLitter(name: string): boolean {
  return LITTER.test(name);
}
