/** A job as the API shows it: times as text, nothing of where its bytes lie. */
import type { api, CallAnswer } from '@isocenter/client';
import type { Job } from '../jobs/job.js';

export type JobView = Awaited<CallAnswer<typeof api.jobs.get>>;
export type JobSummaryView = Awaited<CallAnswer<typeof api.jobs.cancel>>;

/** Parameter of a job that was made from a kept study. */
export const STUDY_PARAMETER = 'study';

export function jobSummary(job: Job): JobSummaryView {
  const study = job.parameters[STUDY_PARAMETER];
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    priority: job.priority,
    protocol: job.protocol,
    requestedBy: job.requestedBy,
    ...(job.model === undefined ? {} : { model: job.model }),
    ...(typeof study === 'string' ? { study } : {}),
    progress: job.progress,
    attempts: job.attempts,
    maxAttempts: job.maxAttempts,
    ...(job.worker === undefined ? {} : { worker: job.worker }),
    cancelRequested: job.cancelRequested,
    ...(job.failure === undefined ? {} : { failure: job.failure }),
    createdAt: job.createdAt.toISOString(),
    ...(job.startedAt === undefined ? {} : { startedAt: job.startedAt.toISOString() }),
    ...(job.finishedAt === undefined ? {} : { finishedAt: job.finishedAt.toISOString() }),
  };
}

export function jobView(job: Job): JobView {
  return {
    ...jobSummary(job),
    parameters: { ...job.parameters },
    files: job.files.map(fileView),
    ...(isRecord(job.report) ? { report: job.report as JobView['report'] } : {}),
  };
}

export function fileView({ name, mediaType, bytes, sha256 }: Job['files'][number]): JobView['files'][number] {
  return { name, mediaType, bytes, sha256 };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
