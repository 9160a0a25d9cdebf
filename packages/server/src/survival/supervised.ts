/** One `isocenter serve` or `isocenter worker` as an operator would run it: a service manager starts it again when it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProgramOptions {
  readonly name: string;
  /** Before the program, such as `ip netns exec name`. */
  readonly before?: readonly string[];
  /** New for each start, so that settings may differ from start to start. */
  readonly args: () => readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What it prints when it works. */
  readonly readyText: string;
  readonly logFile: string;
  /** Begins with `start`, not at once. */
  readonly idle?: boolean;
}

/** An end that nobody caused. */
export interface OwnEnd {
  readonly name: string;
  readonly ready: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly status: string;
  readonly lastWords: string;
}

const RESTART_PAUSE_MS = 200;
const LAST_WORDS = 600;

export class Supervised {
  readonly name: string;
  readonly ownEnds: OwnEnd[] = [];
  readonly #options: ProgramOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #ready = false;
  #killed = false;
  #wanted = false;
  #life: Promise<void> = Promise.resolve();
  #lastExit: string | undefined;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: 'a' });
    if (!options.idle) this.start();
  }

  /** Undefined between two lives. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** How the last life ended: a code, or a signal. */
  get lastExit(): string | undefined {
    return this.#lastExit;
  }

  /** kill -9; undefined when it did not run. */
  kill(): number | undefined {
    const pid = this.#child?.pid;
    if (pid === undefined) return undefined;
    this.#killed = true;
    this.#child?.kill('SIGKILL');
    return pid;
  }

  /** SIGTERM, and no further life. After `ms` it is killed; false then. */
  async stop(ms: number): Promise<boolean> {
    this.#wanted = false;
    this.#child?.kill('SIGTERM');
    const stopped = await Promise.race([this.#life.then(() => true), sleep(ms, false, { ref: false })]);
    if (!stopped) this.kill();
    await this.#life;
    return stopped;
  }

  /** The first life, or a further one after `stop`. */
  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#life = this.#live();
  }

  async #live(): Promise<void> {
    while (this.#wanted) {
      await this.#once();
      if (this.#wanted) await sleep(RESTART_PAUSE_MS);
    }
  }

  #once(): Promise<void> {
    const { before = [], args, env, readyText } = this.#options;
    const [program, ...rest] = [...before, process.execPath, ...args()];
    const startedAt = Date.now();
    let words = '';
    this.#killed = false;
    return new Promise((resolve) => {
      const child = spawn(program as string, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      this.#child = child;
      this.#log.write(`=== ${new Date().toISOString()} started as ${child.pid}\n`);
      const hear = (chunk: Buffer) => {
        this.#log.write(chunk);
        words = (words + chunk.toString('utf8')).slice(-LAST_WORDS - readyText.length);
        if (!this.#ready && words.includes(readyText)) this.#ready = true;
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', (error) => hear(Buffer.from(String(error))));
      child.once('exit', (code, signal) => {
        const status = signal ?? `exit ${code}`;
        this.#log.write(`=== ${new Date().toISOString()} ended: ${status}${this.#killed ? ' (killed)' : ''}\n`);
        if (this.#wanted && !this.#killed)
          this.ownEnds.push({
            name: this.name,
            ready: this.#ready,
            startedAt,
            endedAt: Date.now(),
            status,
            lastWords: words.slice(-LAST_WORDS),
          });
        this.#lastExit = status;
        this.#child = undefined;
        this.#ready = false;
        resolve();
      });
    });
  }
}
