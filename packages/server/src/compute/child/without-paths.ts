/** Texts that leave a child name no place of this machine: paths tell of installations, and could hold what a client sent. */

/** A POSIX or Windows path of at least two steps, or a file URL. */
const PATH = /(?:file:\/\/)?(?:[A-Za-z]:)?(?:[\\/][^\s\\/:*?"'<>|(),;[\]]+){2,}/g;
/** Places in our own code are kept by file name: they are what a report of a defect needs. */
const CODE = /[\\/]([\w.-]+\.(?:js|ts|cc|cpp|node))$/;

export function withoutPaths(text: string): string {
  return text.replace(PATH, (path) => CODE.exec(path)?.[1] ?? '…');
}
