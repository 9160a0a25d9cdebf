/**
 * The parent's side of one compute child: a forked process that loads one model and does one order at a time. It is
 * ended by SIGKILL only, because nothing softer stops a network in mid-run, and it has nothing of its own to clear up.
 */
import { type ChildProcess, fork } from 'node:child_process';
import {
  builtEntry,
  ComputeError,
  crashed,
  ForwardedFailure,
  processMemory,
  WITHOUT_TELEMETRY,
} from '@isocenter/engine/processes';
import type { ReportProgress } from '@isocenter/volume';
import type { ChildMessage, ChildReply, ChildStart, ParentMessage, TaskMessage } from './child/messages.js';
import { withoutPaths } from './child/without-paths.js';
import { childEnvironment } from './child-environment.js';
import type { ModelRef } from './compute-pool.js';

/** Enough of the child's own complaint to understand a crash. */
const COMPLAINT_CHARACTERS = 500;
/**
 * glibc keeps freed memory in up to eight heaps per core, and learns to keep ever larger blocks (mallopt(3)). Two heaps and
 * fixed thresholds let an idle child give back what a study took. Measured after four runs of a small network: 118 to 165 MB
 * resident against 171 to 242, at the same processor time.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '33554432', MALLOC_MMAP_THRESHOLD_: '4194304' };

/** A system call that was under way when the signal came, such as a write to disk, ends within this. */
const GRACE_MS = 30;

export interface ChildEvents {
  ended(child: ComputeChild): void;
  /** After a task and the collection of its garbage. */
  rested(child: ComputeChild): void;
}

interface Order {
  readonly done: (reply: ChildReply) => void;
  readonly fail: (error: Error) => void;
  readonly progress: ReportProgress | undefined;
}

export class ComputeChild {
  /** empty: without a model; starting: loads it; ended: killed or gone. */
  state: 'empty' | 'starting' | 'idle' | 'busy' | 'ended' = 'empty';
  model: ModelRef | undefined;
  runs = 0;
  lastUsedAt: Date;
  /** What the task in it was forecast to need. */
  reservedBytes = 0;
  /** Resident with the model and before any task. */
  loadedBytes = 0;
  /** Resolved once no such process exists any more. */
  readonly gone: Promise<void>;
  readonly #process: ChildProcess;
  #exited = false;
  #residentAtKill: number | undefined;
  #order: Order | undefined;
  #reason: Error | undefined;
  #complaint = '';

  constructor(start: ChildStart, events: ChildEvents, now: Date) {
    this.lastUsedAt = now;
    this.#process = fork(builtEntry(import.meta.url, 'child/entry.js'), [JSON.stringify(start)], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...childEnvironment(), ...ALLOCATOR, ...WITHOUT_TELEMETRY },
    });
    this.gone = new Promise((resolve) => {
      const end = (error: Error) => {
        this.#exited = true;
        this.#settle(this.#reason ?? error);
        resolve();
        events.ended(this);
      };
      this.#process.on('error', (cause) => {
        // Also for a failed send; only a process that never was has no id.
        if (this.#process.pid === undefined)
          end(new ComputeError('child-crashed', 'The compute child cannot be started', { cause }));
      });
      this.#process.on('close', (code, signal) => end(crashed(code, signal, withoutPaths(this.#complaint))));
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString('utf8')).slice(-COMPLAINT_CHARACTERS);
    });
    this.#process.on('message', (message: ChildMessage) => {
      if (message.kind === 'rested') events.rested(this);
      else if (message.kind === 'progress') this.#order?.progress?.(message.done, message.total, message.step);
      else this.#finish(message);
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** We ended it; else its end is a crash. */
  get killed(): boolean {
    return this.#reason !== undefined;
  }

  /** Also of a child that is about to end: its memory is not free yet. 0 where it is not known. */
  get residentBytes(): number {
    if (this.pid === 0 || this.#exited) return 0;
    return this.#residentAtKill ?? processMemory(this.pid)?.residentBytes ?? 0;
  }

  /** Throws what the child throws there. */
  async load(model: ModelRef): Promise<void> {
    this.model = model;
    await this.#ask({ kind: 'load', folder: model.folder });
    this.loadedBytes = this.residentBytes;
    if (this.state === 'starting') this.state = 'busy';
  }

  /** Throws ForwardedFailure with the run's own failure, ComputeError when the child crashed or was killed. */
  async run(task: TaskMessage, progress?: ReportProgress): Promise<ChildReply & { kind: 'answer' }> {
    const reply = await this.#ask(task, progress);
    if (reply.kind !== 'answer')
      throw new ComputeError('child-crashed', `The child answered "${reply.kind}" to a task`);
    return reply;
  }

  /**
   * SIGKILL; `reason` is what the order in progress fails with, within moments. Resolved when the process is gone, which
   * takes the system about half a second for each gigabyte on a busy machine. No code of the child runs after the signal.
   */
  kill(reason: Error): Promise<void> {
    if (this.#exited || this.pid === 0 || this.killed) return this.gone;
    this.#residentAtKill = this.residentBytes;
    this.#reason = reason;
    this.#process.kill('SIGKILL');
    const timer = setTimeout(() => this.#settle(reason), GRACE_MS);
    void this.gone.then(() => clearTimeout(timer));
    return this.gone;
  }

  #settle(error: Error): void {
    this.state = 'ended';
    const order = this.#order;
    this.#order = undefined;
    order?.fail(error);
  }

  async #ask(message: ParentMessage, progress?: ReportProgress): Promise<ChildReply> {
    const reply = await new Promise<ChildReply>((done, fail) => {
      if (this.state === 'ended') return fail(this.#reason ?? crashed(null, null, this.#complaint));
      this.#order = { done, fail, progress };
      // A channel that is closed belongs to a process that is ending: `close` settles the order.
      this.#process.send(message, () => {});
    });
    if (reply.kind !== 'failure') return reply;
    const { name, failure, message: text, where, next } = reply;
    if (!reply.defect) throw new ForwardedFailure(name, failure, text, where, next);
    throw new ComputeError('child-crashed', text, {
      ...(where === undefined ? {} : { where }),
      ...(next === undefined ? {} : { next }),
    });
  }

  #finish(reply: ChildReply): void {
    const order = this.#order;
    this.#order = undefined;
    // A cancel that came together with the answer: the caller was promised that the run ends.
    if (this.#reason) order?.fail(this.#reason);
    else order?.done(reply);
  }
}
