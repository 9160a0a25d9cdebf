/** Many compressed slices decoded on all cores: worker threads that write into one SharedArrayBuffer (DESIGN §4). */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import { DicomError } from '../dataset/errors.js';
import { parseDicom } from '../dataset/parse.js';
import { decodeFrameInto } from './decode.js';
import type { DecodeTask, TaskFailure } from './decode-worker.js';
import type { SampleArray } from './samples.js';
import { supportedTransferSyntaxes } from './supported.js';

export interface DecodeJob {
  /** The whole file; called when a thread is free for it, so that few files are in memory at once. */
  read(): Promise<Uint8Array>;
  /** From 0; default 0. */
  readonly frame?: number;
  /** Where the stored values go. Must be a view on a SharedArrayBuffer to be filled by another thread. */
  readonly target: SampleArray;
  readonly offset: number;
}

export interface DecodeManyOptions {
  /** Of the jobs; only a costly codec is worth threads. Unknown: threads are used. */
  readonly transferSyntaxUID?: string;
  /** Default: all cores, at most 8. 1 decodes in the calling thread. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Called after each slice with the number done so far. */
  readonly onDone?: (done: number) => void;
}

/** More threads than this wait for memory rather than for codecs. */
const MAX_THREADS = 8;
/** A thread needs about 100 ms to start and compile the codecs: as long as a few slices take. */
const MIN_JOBS = 4;
const IDLE_MILLISECONDS = 3000;

let pool: Piscina | undefined;
let poolThreads = 0;

/** The compiled worker beside this module, or, under the test runner's src, the one in dist. */
function workerFile(): string {
  const here = fileURLToPath(new URL('./decode-worker.js', import.meta.url));
  return here.replace(/([\\/])src([\\/])pixel([\\/])/, '$1dist$2pixel$3');
}

/** Piscina is loaded on first use: importing the package stays cheap. */
async function openPool(threads: number): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  if (!pool || poolThreads !== threads) {
    void pool?.destroy();
    pool = new Piscina({ filename: workerFile(), minThreads: 0, maxThreads: threads, idleTimeout: IDLE_MILLISECONDS });
    poolThreads = threads;
  }
  return pool;
}

/** Ends the threads at once instead of after some seconds without work. */
export async function closeDecodePool(): Promise<void> {
  const open = pool;
  pool = undefined;
  await open?.destroy();
}

function threadsFor(jobs: readonly DecodeJob[], options: DecodeManyOptions): number {
  const costly =
    supportedTransferSyntaxes.get(options.transferSyntaxUID ?? '')?.costly ?? options.transferSyntaxUID === undefined;
  const shared = jobs.every((job) => job.target.buffer instanceof SharedArrayBuffer);
  if (!costly || !shared || jobs.length < MIN_JOBS) return 1;
  return Math.max(1, Math.min(options.threads ?? availableParallelism(), MAX_THREADS, jobs.length));
}

async function runInThread(open: Piscina, job: DecodeJob, signal: AbortSignal | undefined): Promise<void> {
  const task: DecodeTask = { bytes: await job.read(), frame: job.frame ?? 0, target: job.target, offset: job.offset };
  const failure = (await open.run(task, signal ? { signal } : {})) as TaskFailure | undefined;
  if (!failure) return;
  throw new DicomError(failure.kind, failure.message, {
    ...(failure.where === undefined ? {} : { where: failure.where }),
    ...(failure.next === undefined ? {} : { next: failure.next }),
  });
}

async function runHere(job: DecodeJob): Promise<void> {
  await decodeFrameInto(parseDicom(await job.read()), job.frame ?? 0, job.target, job.offset);
}

/**
 * Decodes one frame per job into its target; the order of work does not matter to the result. Stops at the first failure
 * and throws it: DicomError as of decodeFrames and parseDicom, or the signal's reason.
 */
export async function decodeInstancesParallel(
  jobs: readonly DecodeJob[],
  options: DecodeManyOptions = {},
): Promise<void> {
  const threads = threadsFor(jobs, options);
  const open = threads > 1 ? await openPool(threads) : undefined;
  // One more in flight than there are threads: the next file is read while the others are decoded.
  const lanes = threads > 1 ? threads + 1 : 1;
  let next = 0;
  let done = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < jobs.length && !failed) {
      options.signal?.throwIfAborted();
      const job = jobs[next++] as DecodeJob;
      try {
        await (open ? runInThread(open, job, options.signal) : runHere(job));
      } catch (error) {
        failed = true;
        throw options.signal?.aborted ? options.signal.reason : error;
      }
      options.onDone?.(++done);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
