/**
 * Runs chores in child processes under limits of number, time and memory. A chore that waits too long for its turn is
 * refused (503 at the border), so that a rush of them cannot pile up.
 */
import { fork } from 'node:child_process';
import { builtEntry, ForwardedFailure } from '@isocenter/engine/processes';
import { Failure } from '@isocenter/volume';
import { childEnvironment } from '../compute/child-environment.js';
import type { Chore, ChoreAnswers, ChoreMessage } from './chore.js';

export type ChoresErrorKind =
  /** As many run and wait as may (HTTP: 503 + Retry-After). */
  'busy' | 'time-limit' | 'crashed' | 'cancelled';

export class ChoresError extends Failure<ChoresErrorKind> {
  readonly retryAfterSeconds = this.kind === 'busy' ? 5 : undefined;
}

export interface ChoresLimits {
  /** Children at the same time; default 2. */
  readonly atOnce?: number;
  /** Chores that wait for a child; default 16. */
  readonly waiting?: number;
  /** Default 60 s. */
  readonly timeMs?: number;
  /** Heap of a child, without typed arrays; default 1 GiB. */
  readonly heapMegabytes?: number;
}

const DEFAULTS = { atOnce: 2, waiting: 16, timeMs: 60_000, heapMegabytes: 1024 } as const;

export class Chores {
  readonly #limits: Required<ChoresLimits>;
  readonly #turns: (() => void)[] = [];
  readonly #closing = new AbortController();
  #running = 0;

  constructor(limits: ChoresLimits = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** Throws what the chore throws (ForwardedFailure) and ChoresError; ComputeError `child-not-built`. */
  async run<C extends Chore>(chore: C, signal?: AbortSignal): Promise<ChoreAnswers[C['kind']]> {
    const stop = AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]);
    await this.#turn(stop);
    try {
      return (await inChild(chore, this.#limits, stop)) as ChoreAnswers[C['kind']];
    } finally {
      this.#running--;
      this.#turns.shift()?.();
    }
  }

  /** Ends all children. */
  close(): void {
    this.#closing.abort();
  }

  async #turn(stop: AbortSignal): Promise<void> {
    if (stop.aborted) throw cancelled();
    if (this.#running >= this.#limits.atOnce) {
      if (this.#turns.length >= this.#limits.waiting)
        throw new ChoresError('busy', 'Too many requests for work on images are waiting', {
          next: 'Ask again in a few seconds.',
        });
      await new Promise<void>((go, refuse) => {
        const turn = () => {
          stop.removeEventListener('abort', leave);
          go();
        };
        const leave = () => {
          this.#turns.splice(this.#turns.indexOf(turn), 1);
          refuse(cancelled());
        };
        this.#turns.push(turn);
        stop.addEventListener('abort', leave, { once: true });
      });
    }
    this.#running++;
  }
}

function cancelled(): ChoresError {
  return new ChoresError('cancelled', 'The request was given up before its answer was there');
}

function inChild(chore: Chore, limits: Required<ChoresLimits>, stop: AbortSignal): Promise<unknown> {
  return new Promise((done, refuse) => {
    // It may have come while this chore waited for its turn.
    if (stop.aborted) throw cancelled();
    const child = fork(builtEntry(import.meta.url, 'chore-child.js'), [], {
      execArgv: [`--max-old-space-size=${limits.heapMegabytes}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: childEnvironment(),
    });
    let message: ChoreMessage | undefined;
    let reason: Error | undefined;
    const kill = (error: Error) => {
      reason ??= error;
      child.kill('SIGKILL');
      // A process that never was has no exit either, and would hold its turn for ever.
      if (child.pid === undefined) end();
    };
    const onStop = () => kill(cancelled());
    stop.addEventListener('abort', onStop, { once: true });
    const timer = setTimeout(
      () =>
        kill(
          new ChoresError('time-limit', `Reading the files took longer than ${limits.timeMs / 1000} s`, {
            next: 'Send fewer files at once.',
          }),
        ),
      limits.timeMs,
    );
    child.on('message', (sent: ChoreMessage) => {
      message = sent;
    });
    child.on('error', kill);
    const end = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
      if (reason) refuse(reason);
      else if (message?.kind === 'answer') done(message.answer);
      else if (message)
        refuse(new ForwardedFailure(message.name, message.failure, message.message, message.where, message.next));
      else
        refuse(
          new ChoresError('crashed', 'The process that read the files ended without an answer', {
            next: 'The files may need more memory than it may use; send fewer at once.',
          }),
        );
    };
    child.on('exit', end);
    // A failed send belongs to a child that has ended: `exit` or `error` says how.
    child.send(chore, () => {});
  });
}
