/**
 * Runs a bundle in a forked process under hard limits. Cancelling, too much time or too much memory end in SIGKILL,
 * because nothing softer stops a network in mid-run; the exchange folder is removed in every case.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { LabelMap, Watch } from '@isocenter/volume';
import type { Bundle } from '../bundle/bundle.js';
import { checkInput } from '../bundle/check-input.js';
import type { ModelInput } from '../model-input.js';
import type { Prediction } from '../prediction.js';
import { builtEntry } from './built-entry.js';
import type { Answer, ChildMessage, Job } from './child-messages.js';
import { cancelled, crashed, overMemory, overTime } from './compute-endings.js';
import { ComputeError, ForwardedFailure } from './compute-error.js';
import { makeExchangeFolder, readVolume, writeVolume } from './exchange-folder.js';
import { checkForecast, PROCESS_BYTES } from './forecast.js';
import { WITHOUT_TELEMETRY } from './import-onnx.js';
import { refreshOwnedFolder } from './owned-folder.js';
import { processMemory } from './process-memory.js';

export interface ChildOptions {
  /** Resident memory of the child; it is killed above this (Linux; elsewhere only the forecast is checked). */
  readonly memoryLimitBytes?: number;
  readonly timeLimitMs?: number;
  /** Threads of the network; default: all processors. The same number gives bit-equal results. */
  readonly threads?: number;
  /** Called with the process id of the child, for who watches over several. */
  readonly onStart?: (pid: number) => void;
}

export interface ChildResult {
  readonly prediction: Prediction;
  /** Highest resident memory of the child (VmHWM). */
  readonly peakMemoryBytes: number;
  readonly seconds: number;
  readonly threads: number;
}

/** A child that grows by 1 GB a second passes its limit by 50 MB at most. */
const POLL_MS = 50;
/** A longer timer fires at once; 24 days are no limit anyway. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Enough of the child's own complaint to understand a crash. */
const COMPLAINT_CHARACTERS = 500;

/**
 * Throws what the run throws (ForwardedFailure keeps kind, place and next step), and ComputeError `cancelled`,
 * `time-limit`, `memory-limit`, `child-crashed`.
 */
export async function runBundleInChild(
  bundle: Bundle,
  input: ModelInput,
  options: ChildOptions = {},
  watch: Watch = {},
): Promise<ChildResult> {
  if (watch.signal?.aborted) throw cancelled();
  checkInput(bundle, input);
  const bytes = input.channels.reduce((sum, { volume }) => sum + volume.data.byteLength, 0);
  checkForecast(
    [
      { what: 'process', bytes: PROCESS_BYTES },
      { what: 'input', bytes },
    ],
    options.memoryLimitBytes,
  );
  const threads = options.threads ?? availableParallelism();
  const started = performance.now();
  const folder = await makeExchangeFolder();
  const endRefresh = refreshOwnedFolder(folder);
  try {
    const channels = [];
    for (const [at, { name, volume, modality, units }] of input.channels.entries())
      channels.push({
        name,
        volume: await writeVolume(folder, `channel-${at}.raw`, volume),
        ...(modality === undefined ? {} : { modality }),
        ...(units === undefined ? {} : { units }),
      });
    const { memoryLimitBytes } = options;
    const job: Job = { bundle, channels, threads, ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }) };
    await writeFile(join(folder, 'job.json'), JSON.stringify(job), { mode: 0o600 });
    const { answer, peakMemoryBytes } = await supervise(folder, options, watch);
    return {
      prediction: await predictionOf(folder, answer),
      peakMemoryBytes,
      seconds: (performance.now() - started) / 1000,
      threads,
    };
  } finally {
    endRefresh();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function supervise(folder: string, options: ChildOptions, watch: Watch): Promise<ChildMessage & { kind: 'answer' }> {
  return new Promise((done, refuse) => {
    const child: ChildProcess = fork(builtEntry(import.meta.url, 'child-entry.js'), [folder], {
      execArgv: ['--expose-gc', ...heapLimit(options)],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...WITHOUT_TELEMETRY, NODE_OPTIONS: '' },
    });
    if (child.pid !== undefined) options.onStart?.(child.pid);
    let complaint = '';
    let answer: (ChildMessage & { kind: 'answer' }) | undefined;
    let error: Error | undefined;
    let peak = 0;
    const kill = (reason: Error) => {
      error ??= reason;
      child.kill('SIGKILL');
    };
    const onAbort = () => kill(cancelled());
    watch.signal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      options.timeLimitMs === undefined
        ? undefined
        : setTimeout(
            () => kill(overTime(options.timeLimitMs as number)),
            Math.min(options.timeLimitMs, LONGEST_TIMER_MS),
          );
    const poll = setInterval(() => {
      const memory = child.pid === undefined ? undefined : processMemory(child.pid);
      if (!memory) return;
      peak = Math.max(peak, memory.peakBytes);
      if (options.memoryLimitBytes !== undefined && memory.residentBytes > options.memoryLimitBytes)
        kill(overMemory(memory.residentBytes, options.memoryLimitBytes));
    }, POLL_MS);
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-COMPLAINT_CHARACTERS);
    });
    child.on('message', (message: ChildMessage) => {
      if (message.kind === 'progress') watch.progress?.(message.done, message.total, message.step);
      else if (message.kind === 'answer') answer = message;
      else error ??= new ForwardedFailure(message.name, message.failure, message.message, message.where, message.next);
    });
    child.on('error', (cause) => {
      error ??= new ComputeError('child-crashed', 'The compute child cannot be started', { cause });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      clearInterval(poll);
      watch.signal?.removeEventListener('abort', onAbort);
      if (error) refuse(error);
      else if (answer) done({ ...answer, peakMemoryBytes: Math.max(peak, answer.peakMemoryBytes) });
      else refuse(crashed(code, signal, complaint));
    });
  });
}

/** Typed arrays lie outside the JavaScript heap; this bounds what is left where /proc is not there to watch. */
function heapLimit({ memoryLimitBytes }: ChildOptions): string[] {
  return memoryLimitBytes === undefined
    ? []
    : [`--max-old-space-size=${Math.max(64, Math.floor(memoryLimitBytes / 2 ** 20))}`];
}

async function predictionOf(folder: string, answer: Answer): Promise<Prediction> {
  if (answer.kind === 'classification') return answer;
  const layers: LabelMap[] = [];
  for (const header of answer.layers) layers.push((await readVolume(folder, header)) as LabelMap);
  return {
    kind: 'segmentation',
    segmentation: { kind: 'segmentation', grid: answer.grid, layers, structures: answer.structures },
  };
}
