/** Which channel a file belongs to by its place: the first folder of its path, below a folder that holds everything. */

const parts = (name: string) => name.split(/[\\/]+/).filter((part) => part !== '' && part !== '.');

/**
 * Folder of each name ('' at the top). One folder around everything is left out, unless it has the name of a channel: a
 * zip of `study/ct/1`, `study/flair/1` has the folders `ct` and `flair`.
 */
export function channelFolders(names: readonly string[], channels: readonly string[]): string[] {
  const wanted = new Set(channels.map((channel) => channel.toLowerCase()));
  let paths = names.map(parts);
  for (;;) {
    const first = paths[0]?.[0];
    const around = paths.every((path) => path.length > 1 && path[0] === first);
    if (first === undefined || !around || wanted.has(first.toLowerCase())) break;
    paths = paths.map((path) => path.slice(1));
  }
  return paths.map((path) => (path.length > 1 ? path[0] : ''));
}

/** Name of a file without folder and without the endings of image formats. */
export function fileStem(name: string): string {
  return (parts(name).at(-1) ?? '').replace(/(\.nii|\.nrrd|\.nhdr)?(\.gz)?$/i, '');
}
