/** `isocenter submit`: a study to a model on a server, with its progress, and the result in a folder. */
import { basename } from 'node:path';
import type { Client } from '@isocenter/client';
import { OutputFolder } from '@isocenter/formats';
import { Failure, type Watch } from '@isocenter/volume';
import { table } from '../../output/table.js';
import type { CommandContext } from '../../program.js';
import { connect, type RemoteOptions } from '../../remote/connect.js';
import { readStudy } from '../../remote/read-study.js';

export type SubmitErrorKind = 'failed' | 'cancelled';

/** How the job ended, when not well; the server's own words. */
export class SubmitError extends Failure<SubmitErrorKind> {}

export interface SubmitOptions extends RemoteOptions {
  readonly input: string;
  readonly model: string;
  readonly out?: string;
  readonly format?: readonly string[];
  readonly series?: string;
  readonly requireProof?: boolean;
  readonly force?: boolean;
}

type Job = Awaited<ReturnType<Client['jobs']['get']>>;

export async function submitCommand(options: SubmitOptions, context: CommandContext): Promise<undefined> {
  const { terminal, watch } = context;
  const { client } = connect(options);
  const study = await readStudy(options.input, watch);
  const { id } = await client.jobs.create(
    {
      model: options.model,
      body: study.stream,
      ...(options.format ? { formats: options.format as never } : {}),
      ...(options.series ? { series: options.series } : {}),
      ...(options.requireProof ? { requireExact: true } : {}),
    },
    { contentType: study.mediaType, ...(watch.signal ? { signal: watch.signal } : {}) },
  );
  const job = await ended(client, id, watch);
  context.endProgress();
  if (job.state === 'cancelled') throw new SubmitError('cancelled', 'The job was cancelled', { where: `job ${id}` });
  if (job.state === 'failed')
    throw new SubmitError('failed', job.failure?.message ?? 'The job failed', {
      where: [`job ${id}`, job.failure?.where].filter(Boolean).join(', '),
      ...(job.failure?.next ? { next: job.failure.next } : {}),
    });
  const files = options.out ? await fetchFiles(client, job, options.out, options.force === true) : [];
  terminal.print(
    table(
      ['structure', 'voxels', 'ml', 'contours', 'proof'],
      (job.report?.structures ?? []).map(({ name, voxels, ml, contours, proof }) => [
        name,
        voxels,
        ml.toFixed(1),
        contours,
        proof,
      ]),
    ),
  );
  terminal.print(`\njob ${id}`);
  for (const file of files) terminal.print(file);
  terminal.document({ job, files });
  return undefined;
}

/** Follows the job to its end; Ctrl-C cancels it on the server as well. */
async function ended(client: Client, id: string, watch: Watch): Promise<Job> {
  try {
    for await (const { progress } of client.jobs.events({ job: id }, watch.signal ? { signal: watch.signal } : {})) {
      const left = progress.secondsLeft === undefined ? '' : `, ${Math.ceil(progress.secondsLeft)} s left`;
      watch.progress?.(progress.fraction, 1, `${progress.step}${left}`);
    }
  } catch (error) {
    if (watch.signal?.aborted) await client.jobs.cancel({ job: id }).catch(() => undefined);
    throw error;
  }
  return client.jobs.get({ job: id });
}

async function fetchFiles(client: Client, job: Job, folder: string, overwrite: boolean): Promise<readonly string[]> {
  const out = await OutputFolder.create(folder, { overwrite, stem: 'segmentation' });
  try {
    for (const { name } of job.files) {
      const download = await client.results.file({ job: job.id, file: name });
      await out.write(basename(name), await download.read());
    }
    return (await out.commit()).map(String);
  } catch (error) {
    await out.discard();
    throw error;
  }
}
