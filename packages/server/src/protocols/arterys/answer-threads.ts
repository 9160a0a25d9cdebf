/**
 * Threads that make answers, each one at a time under a time limit: a handler that throws, hangs, or ends its thread costs
 * its own request and nobody else's. Requests wait in a bounded line; what is over it is told to come back (503).
 */
import { Worker } from 'node:worker_threads';
import { builtEntry } from '@isocenter/engine/processes';
import { childEnvironment } from '../../compute/child-environment.js';
import { ArterysError } from './arterys-error.js';
import type { EncodedAnswer } from './messages.js';
import type { TaggedLogger } from './tagged-logger.js';
import type { ThreadData, ThreadMessage, ThreadTask } from './thread-task.js';

export interface AnswerThreadsOptions {
  /** file: URL of the handler's module. */
  readonly module?: string;
  readonly atOnce: number;
  /** Requests that wait for a thread, and how long at most. */
  readonly waiting: number;
  readonly waitMs: number;
  /** Of one answer, loading the module included. */
  readonly timeMs: number;
  /** Heap of a thread, without the bytes of images and masks. */
  readonly heapMegabytes: number;
}

export class AnswerThreads {
  readonly #options: AnswerThreadsOptions;
  readonly #idle: Worker[] = [];
  readonly #turns: (() => void)[] = [];
  #busy = 0;

  constructor(options: AnswerThreadsOptions) {
    this.#options = options;
  }

  /**
   * The buffers of the task's parts move to the thread. Throws ArterysError `busy`, `inconsistent-answer`, `handler-failed`,
   * `handler-time-limit`, `bad-route`.
   */
  async answer(task: ThreadTask, logger: TaggedLogger, signal?: AbortSignal): Promise<EncodedAnswer> {
    await this.#turn(signal);
    let worker: Worker | undefined;
    try {
      worker = this.#idle.pop() ?? this.#start();
      const answer = await this.#ask(worker, task, logger, signal);
      if (worker.threadId >= 0) this.#idle.push(worker);
      return answer;
    } finally {
      this.#busy--;
      this.#turns.shift()?.();
    }
  }

  /** Idle threads end; what runs is ended with its request. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()));
  }

  #start(): Worker {
    const { module, heapMegabytes } = this.#options;
    const data: ThreadData = module === undefined ? {} : { module };
    const worker = new Worker(builtEntry(import.meta.url, 'answer-thread.js'), {
      workerData: data,
      env: childEnvironment(),
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    });
    // What a handler prints is for its own terminal: in our log it could name a patient.
    worker.stdout.resume();
    worker.stderr.resume();
    // One that ends while nobody asks it anything; errors come with an exit.
    worker.on('error', () => {});
    worker.on('exit', () => {
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    worker.unref();
    return worker;
  }

  #ask(worker: Worker, task: ThreadTask, logger: TaggedLogger, signal?: AbortSignal): Promise<EncodedAnswer> {
    const { timeMs } = this.#options;
    return new Promise((resolve, refuse) => {
      const fail = (error: ArterysError, end: boolean) => {
        leave();
        if (end) void worker.terminate();
        else this.#idle.push(worker);
        refuse(error);
      };
      const late = () =>
        fail(new ArterysError('handler-time-limit', `The handler took longer than ${timeMs / 1000} s`), true);
      const gone = () => fail(new ArterysError('busy', 'The client went before its answer was there'), true);
      const exit = () => fail(new ArterysError('handler-failed', 'The handler ended its thread'), true);
      const timer = setTimeout(late, timeMs);
      const hear = (message: ThreadMessage) => {
        // Tagged in the thread, perhaps by a child of the request's logger.
        if (message.kind === 'log') logger.sink[message.level](message.text);
        else if (message.kind === 'failure') {
          const { failure, message: text, where, next } = message;
          fail(new ArterysError(failure, text, { where, next }), failure === 'bad-route');
        } else if (message.kind === 'answer') {
          leave();
          resolve(message.answer);
        }
      };
      const leave = () => {
        clearTimeout(timer);
        worker.off('message', hear).off('exit', exit).off('error', exit);
        signal?.removeEventListener('abort', gone);
      };
      worker.on('message', hear).on('exit', exit).on('error', exit);
      signal?.addEventListener('abort', gone, { once: true });
      if (signal?.aborted) return gone();
      // A thread that is still loading its module takes the message when it has.
      worker.postMessage(task, task.kind === 'handle' ? movable(task.parts) : []);
    });
  }

  async #turn(signal?: AbortSignal): Promise<void> {
    const { atOnce, waiting, waitMs } = this.#options;
    if (this.#busy >= atOnce) {
      if (this.#turns.length >= waiting) throw busy();
      await new Promise<void>((go, refuse) => {
        const leave = () => {
          const at = this.#turns.indexOf(turn);
          if (at < 0) return;
          this.#turns.splice(at, 1);
          clearTimeout(timer);
          refuse(busy());
        };
        const timer = setTimeout(leave, waitMs);
        const turn = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', leave);
          go();
        };
        this.#turns.push(turn);
        signal?.addEventListener('abort', leave, { once: true });
      });
    }
    this.#busy++;
  }
}

function movable(parts: readonly Uint8Array[]): ArrayBuffer[] {
  return parts.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}

function busy(): ArterysError {
  return new ArterysError('busy', 'As many requests as may are waiting for an answer', {
    next: 'Send it again in a few seconds.',
  });
}
