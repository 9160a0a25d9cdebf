/**
 * Result files as one zip, for doors whose clients fetch exactly one: made where the job runs, so that each fetch is a
 * stored blob. The same files give the same bytes.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { zipStream } from '@isocenter/formats';
import { z } from 'zod';
import type { HandlerResult } from './job-handler.js';
import { SegmentJobError } from './segment-job-error.js';

const plainName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);

/** `name` of the zip; result file → its name in there. */
export const packParameter = z.object({ name: plainName, entries: z.record(plainName, plainName) });

type ResultFiles = HandlerResult['files'];

/**
 * The zip and what is not in it. `folder` is the job's own. Throws SegmentJobError `bad-parameters` for a file that the job
 * did not make.
 */
export async function packFiles(
  folder: string,
  files: ResultFiles,
  { name, entries }: z.infer<typeof packParameter>,
): Promise<ResultFiles> {
  const contents = await Promise.all(
    Object.entries(entries).map(async ([from, to]) => {
      const file = files.find((each) => each.name === from);
      if (!file)
        throw new SegmentJobError('bad-parameters', 'The job made no file of a name that was to be packed', {
          where: 'pack.entries',
          next: 'Name files as the formats and the stem of the job make them.',
        });
      const { size } = await stat(file.path);
      return { name: to, size, open: async () => createReadStream(file.path) };
    }),
  );
  const path = join(folder, name);
  await pipeline(zipStream(contents), createWriteStream(path, { flags: 'wx' }));
  const rest = files.filter((file) => !Object.hasOwn(entries, file.name));
  return [{ path, name, mediaType: 'application/zip' }, ...rest];
}
