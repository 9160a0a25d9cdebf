/**
 * PostgreSQL refuses to run as root. Then it runs as an existing account without rights, and what it must reach (its data, its
 * programs) must lie where that account may go. We make no accounts.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StateError } from '../state-error.js';

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** In this order: one made for us, PostgreSQL's own, the one that owns nothing. `initdb` wants a name, so a free number does not do. */
const candidates = ['isocenter', 'postgres', '_postgres', 'nobody'];

/** Whatever else runs as `nobody` could read the database's password. */
const SHARED_ACCOUNT =
  'PostgreSQL runs as "nobody", which other programs may share: make an account of its own with `useradd --system isocenter`, or do not start Isocenter as root.';

/** Undefined: we are not root, run as ourselves. Throws StateError `no-unprivileged-user`. */
export async function unprivilegedUser(accounts = '/etc/passwd'): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile(accounts, 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of candidates) {
    const [, , uid, gid] = lines.find(([entry]) => entry === name) ?? [];
    const ids = { uid: Number(uid), gid: Number(gid) };
    if (ids.uid > 0 && ids.gid > 0) {
      if (name === 'nobody') process.emitWarning(SHARED_ACCOUNT);
      return ids;
    }
  }
  throw new StateError(
    'no-unprivileged-user',
    'PostgreSQL does not run as root, and there is no account to run it as.',
    {
      next: 'Start Isocenter as an ordinary user, or make an account: useradd --system isocenter.',
    },
  );
}

const OTHERS_MAY_PASS = 0o001;
const GROUP_MAY_PASS = 0o010;
const OWNER_MAY_PASS = 0o100;

/** May this account walk to `path`? Each folder above it must exist. Access lists are not looked at. */
export async function canReach(path: string, { uid, gid }: RunAs): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid: owner, gid: group } = await stat(folder);
    const needed = owner === uid ? OWNER_MAY_PASS : group === gid ? GROUP_MAY_PASS : OTHERS_MAY_PASS;
    if ((mode & needed) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
