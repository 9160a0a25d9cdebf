/** `isocenter submit`: a study to a model on a server, with its progress, and the result in a folder. */
import type { Client } from '@isocenter/client';
import { Failure, type Watch } from '@isocenter/volume';
import { table } from '../../output/table.js';
import type { CommandContext } from '../../program.js';
import { connect, type RemoteOptions } from '../../remote/connect.js';
import { openResultFolder, saveFiles } from '../../remote/fetch-results.js';
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
  const { terminal } = context;
  const { client } = connect(options);
  // Before anything is sent: an hour of work must not end at a folder that cannot be written to.
  const folder = options.out === undefined ? undefined : await openResultFolder(options.out, options.force === true);
  let job: Job;
  let files: readonly string[] = [];
  try {
    job = await finishedJob(client, options, context);
    if (folder) files = await saveFiles(client, job, folder);
  } catch (error) {
    await folder?.discard();
    throw error;
  }
  context.endProgress();
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
  terminal.print(`\njob ${job.id}`);
  for (const file of files) terminal.print(file);
  if (!folder) terminal.print(`isocenter jobs fetch ${job.id} --out FOLDER   gets its files`);
  terminal.document({ job, files });
  return undefined;
}

/** Sends the study and waits. Throws SubmitError when the job did not succeed. */
async function finishedJob(client: Client, options: SubmitOptions, { watch }: CommandContext): Promise<Job> {
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
  if (job.state === 'cancelled') throw new SubmitError('cancelled', 'The job was cancelled', { where: `job ${id}` });
  if (job.state === 'failed')
    throw new SubmitError('failed', job.failure?.message ?? 'The job failed', {
      where: [`job ${id}`, job.failure?.where].filter(Boolean).join(', '),
      ...(job.failure?.next ? { next: job.failure.next } : {}),
    });
  return job;
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
