/** From the bytes of a request to a job that keeps them: used by every door that takes studies. */
import type { Actor } from '../accounts/actor.js';
import type { Job } from '../jobs/job.js';
import type { Services } from './services.js';

export interface Submission {
  readonly stream: AsyncIterable<Uint8Array>;
  readonly declaredBytes: number | undefined;
  readonly actor: Actor;
  readonly signal: AbortSignal;
}

/**
 * Stores the bytes, then makes the job. When none is made of them (a failure, or the same request came before) they are let
 * go at once. Throws BlobError and what `create` throws.
 */
export async function submit(
  { blobs, db }: Pick<Services, 'blobs' | 'db'>,
  { stream, declaredBytes, actor, signal }: Submission,
  create: (blobId: string) => Promise<Job>,
): Promise<Job> {
  const blob = await blobs.write(stream, {
    purpose: 'upload',
    actor,
    signal,
    ...(declaredBytes === undefined ? {} : { expectedBytes: declaredBytes }),
  });
  let job: Job | undefined;
  try {
    job = await create(blob.id);
    return job;
  } finally {
    if (!job?.inputBlobIds.includes(blob.id)) {
      // In the name of an owner that never was: a job whose commit was done but never answered keeps its images.
      await blobs.release(blob.id, 'no job was made of it', db, { kind: 'job', id: blob.id });
      await blobs.eraseReleased([blob.id]);
    }
  }
}
