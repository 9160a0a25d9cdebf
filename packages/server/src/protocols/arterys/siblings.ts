/**
 * Further processes with the same handlers. One process accepts; a connection goes to whichever has the fewest, and a process
 * is started with the first connection that it gets: a service with one client is one process. One that ends takes its
 * connections with it and is started anew with the next.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { builtEntry } from '@isocenter/engine/processes';
import type { LogLevel, LogSink } from './tagged-logger.js';

/** What a sibling is started with. */
export interface SiblingWish {
  /** Path → file: URL. */
  readonly modules: Readonly<Record<string, string>>;
  readonly maximumBytes: number;
  readonly atOnce: number;
}

export type ToSibling =
  | { readonly kind: 'start'; readonly wish: SiblingWish }
  | { readonly kind: 'connection' }
  | { readonly kind: 'close' };

export type FromSibling =
  | { readonly kind: 'gone' }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string };

interface Sibling {
  child: ChildProcess | undefined;
  connections: number;
}

export class Siblings {
  readonly #wish: SiblingWish;
  readonly #log: LogSink;
  readonly #all: Sibling[];
  /** Connections of the process that accepts. */
  #own = 0;

  constructor(count: number, wish: SiblingWish, log: LogSink) {
    this.#wish = wish;
    this.#log = log;
    this.#all = Array.from({ length: count }, () => ({ child: undefined, connections: 0 }));
  }

  /** True when a sibling has it now; else it is for the process that accepts. */
  place(socket: Socket): boolean {
    const least = this.#all.reduce<Sibling | undefined>(
      (best, one) => (one.connections < (best?.connections ?? this.#own) ? one : best),
      undefined,
    );
    if (!least) {
      this.#own++;
      socket.once('close', () => this.#own--);
      return false;
    }
    least.child ??= this.#start(least);
    least.connections++;
    least.child.send({ kind: 'connection' } satisfies ToSibling, socket, { keepOpen: false }, (error) => {
      if (error) socket.destroy();
    });
    return true;
  }

  /** Ends when the answers under way are out. */
  async close(): Promise<void> {
    const children = this.#all.flatMap(({ child }) => child ?? []);
    await Promise.all(
      children.map(
        (child) =>
          new Promise<void>((done) => {
            if (child.exitCode !== null || child.signalCode !== null) return done();
            child.once('exit', () => done());
            child.send({ kind: 'close' } satisfies ToSibling, () => {});
          }),
      ),
    );
  }

  #start(sibling: Sibling): ChildProcess {
    const child = fork(builtEntry(import.meta.url, 'sibling-process.js'), { execArgv: [] });
    child.on('error', () => child.kill());
    child.on('exit', (code, signal) => {
      if (code !== 0) this.#log.error(`a process of handlers ended: ${signal ?? code}`);
      if (sibling.child !== child) return;
      sibling.child = undefined;
      sibling.connections = 0;
    });
    child.on('message', (message: FromSibling) => {
      if (message.kind === 'log') this.#log[message.level](message.text);
      else if (sibling.child === child) sibling.connections--;
    });
    child.send({ kind: 'start', wish: this.#wish } satisfies ToSibling);
    return child;
  }
}
