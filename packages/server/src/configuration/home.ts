/** Where data lies when nobody says: the place that each system has for it. */
import { homedir, platform } from 'node:os';
import { join, resolve } from 'node:path';

export function defaultHome(): string {
  if (process.env.XDG_DATA_HOME) return join(process.env.XDG_DATA_HOME, 'isocenter');
  switch (platform()) {
    case 'darwin':
      return join(homedir(), 'Library/Application Support/Isocenter');
    case 'win32':
      return join(process.env.LOCALAPPDATA ?? join(homedir(), 'AppData/Local'), 'Isocenter');
    default:
      return join(homedir(), '.local/share/isocenter');
  }
}

/** The data directory that a command means: named, from the environment, or the usual one. */
export function configuredHome(named?: string): string {
  return resolve(named ?? (process.env.ISOCENTER_HOME || defaultHome()));
}
