/** `isocenter jobs …`: the queue of a server. */
import type { Client } from '@isocenter/client';
import { Failure } from '@isocenter/volume';
import { table } from '../../output/table.js';
import type { CommandContext } from '../../program.js';
import { connect, type RemoteOptions } from '../../remote/connect.js';
import { openResultFolder, saveFiles } from '../../remote/fetch-results.js';
import { pages } from '../../remote/pages.js';

const MOST_LISTED = 50;

export interface ListJobsOptions extends RemoteOptions {
  readonly state?: readonly string[];
  readonly model?: string;
  readonly all?: boolean;
}

export async function listJobsCommand(options: ListJobsOptions, { terminal }: CommandContext): Promise<undefined> {
  const { client } = connect(options);
  const filter = {
    ...(options.state ? { states: options.state as never } : {}),
    ...(options.model === undefined ? {} : { model: options.model }),
  };
  const jobs = await pages(
    (cursor) => client.jobs.list({ ...filter, ...cursor }),
    options.all ? undefined : MOST_LISTED,
  );
  terminal.print(
    table(
      ['job', 'state', 'done', 'model', 'from', 'created', 'what happened'],
      jobs.map(({ id, state, progress, model, protocol, createdAt, failure }) => [
        id,
        state,
        `${Math.round(progress.fraction * 100)} %`,
        model,
        protocol,
        createdAt.replace('T', ' ').slice(0, 19),
        failure?.message ?? (state === 'running' ? progress.step : ''),
      ]),
    ),
  );
  terminal.document({ jobs });
  return undefined;
}

export async function showJobCommand(
  options: RemoteOptions & { readonly job: string },
  { terminal }: CommandContext,
): Promise<undefined> {
  const job = await connect(options).client.jobs.get({ job: options.job });
  terminal.print(`${job.id}  ${job.state}  ${job.model ?? job.kind}, attempt ${job.attempts} of ${job.maxAttempts}`);
  if (job.failure) {
    const { message, where, next } = job.failure;
    terminal.print(`${message}${where ? ` [${where}]` : ''}${next ? `\n  Next: ${next}` : ''}`);
  }
  if (job.files.length > 0)
    terminal.print(
      table(
        ['file', 'type', 'bytes'],
        job.files.map(({ name, mediaType, bytes }) => [name, mediaType, bytes]),
      ),
    );
  terminal.document({ job });
  return undefined;
}

export class FetchError extends Failure<'no-files'> {}

export async function fetchJobCommand(
  options: RemoteOptions & { readonly job: string; readonly out: string; readonly force?: boolean },
  { terminal }: CommandContext,
): Promise<undefined> {
  const { client } = connect(options);
  const job = await client.jobs.get({ job: options.job });
  if (job.files.length === 0)
    throw new FetchError('no-files', `This job has no files; it is ${job.state}`, {
      where: job.id,
      next: `\`isocenter jobs show ${job.id}\` says more.`,
    });
  const folder = await openResultFolder(options.out, options.force === true);
  try {
    const files = await saveFiles(client, job, folder);
    for (const file of files) terminal.print(file);
    terminal.document({ job: job.id, files });
  } catch (error) {
    await folder.discard();
    throw error;
  }
  return undefined;
}

export function changeJobCommand(change: 'cancel' | 'retry') {
  return async (
    options: RemoteOptions & { readonly job: string },
    { terminal }: CommandContext,
  ): Promise<undefined> => {
    const call: Client['jobs'][typeof change] = connect(options).client.jobs[change];
    const { id, state } = await call({ job: options.job });
    terminal.print(`${id}: ${state}`);
    terminal.document({ job: id, state });
    return undefined;
  };
}
