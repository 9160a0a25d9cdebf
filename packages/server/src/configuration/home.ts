/** Where data lies when nobody says: the place that each system has for it. */
import { homedir, platform } from 'node:os';
import { join } from 'node:path';

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
