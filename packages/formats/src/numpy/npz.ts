/** .npz files: a zip of .npy arrays, read through the one archive reader with its limits. */
import { FormatError } from '../format-error.js';
import type { IntakeLimits } from '../intake/limits.js';
import { openSources } from '../intake/open-sources.js';
import { mapConcurrently } from '../intake/source.js';
import { writeZip } from '../intake/write-zip.js';
import { type NpyArray, readNpy, writeNpy } from './npy.js';

const SUFFIX = '.npy';

/** Arrays by name, without the suffix. Throws ArchiveError and FormatError. */
export async function readNpz(
  input: string | Uint8Array,
  limits: Partial<IntakeLimits> = {},
): Promise<ReadonlyMap<string, NpyArray>> {
  const opened = await openSources(input, { limits, expect: 'archive' });
  try {
    const arrays = opened.sources.filter((source) => source.name.endsWith(SUFFIX));
    if (arrays.length === 0)
      throw new FormatError('not-this-format', 'The zip holds no .npy arrays', {
        where: 'npz',
        next: 'Give a file made by numpy.savez or numpy.savez_compressed.',
      });
    const pairs = await mapConcurrently(
      arrays,
      async (source) => [source.name.slice(0, -SUFFIX.length), readNpy(await source.read())] as const,
    );
    return new Map(pairs);
  } finally {
    await opened.close();
  }
}

/** The same bytes for the same arrays in the same order. */
export function writeNpz(arrays: Iterable<readonly [string, Pick<NpyArray, 'data' | 'shape'>]>): Promise<Buffer> {
  return writeZip(
    [...arrays].map(([name, { data, shape }]) => ({ name: name + SUFFIX, bytes: writeNpy(data, shape) })),
  );
}
