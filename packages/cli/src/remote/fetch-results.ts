/** The files of a job on a server into a folder on this machine: all of them, or none. */
import { basename } from 'node:path';
import type { Client } from '@isocenter/client';
import { OutputFolder } from '@isocenter/formats';

type Job = Awaited<ReturnType<Client['jobs']['get']>>;

/** Throws OutputError when the folder cannot be written to, or holds earlier results and `overwrite` is false. */
export function openResultFolder(path: string, overwrite: boolean): Promise<OutputFolder> {
  return OutputFolder.create(path, { overwrite, stem: 'segmentation' });
}

/** Resolves to the paths that were written; the caller discards the folder after an error. */
export async function saveFiles(client: Client, job: Job, folder: OutputFolder): Promise<readonly string[]> {
  for (const { name } of job.files) {
    const download = await client.results.file({ job: job.id, file: name });
    await folder.write(basename(name), await download.read());
  }
  return folder.commit();
}
