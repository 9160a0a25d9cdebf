/**
 * Which peers are here: a Python interpreter with modules, npm packages (bench/peers/install.sh puts both into bench/.peers), programs
 * on the PATH. ISOCENTER_PEERS names another interpreter, or is `none` to run without peers; ISOCENTER_PEERS_NPM another folder of packages.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Aim, Contender } from './row.js';

export const benchFolder = join(dirname(fileURLToPath(import.meta.url)), '..');
const INSTALL = 'run: bash bench/peers/install.sh';

export interface PeerOptions {
  readonly aim?: Aim;
  readonly runs?: number;
}

export class Peers {
  readonly #python: string;
  readonly #off: boolean;
  readonly #present = new Map<string, boolean>();

  constructor(modules: readonly string[]) {
    const named = process.env.ISOCENTER_PEERS;
    this.#off = named === 'none';
    this.#python = named && !this.#off ? named : join(benchFolder, '.peers/venv/bin/python');
    if (this.#off || !existsSync(this.#python)) return;
    // Found, not imported: imports of some of these take seconds.
    const probe =
      'import importlib.util as u, json, sys; print(json.dumps({m: u.find_spec(m) is not None for m in sys.argv[1:]}))';
    const { stdout, status } = spawnSync(this.#python, ['-c', probe, ...modules], { encoding: 'utf8' });
    if (status === 0)
      for (const [module, is] of Object.entries(JSON.parse(stdout) as Record<string, boolean>))
        this.#present.set(module, is);
  }

  /** A script of bench/peers, or the reason why it cannot run. */
  script(
    name: string,
    modules: readonly string[],
    file: string,
    args: readonly (string | number)[],
    options: PeerOptions = {},
  ): Contender {
    const reason = this.#missing(modules);
    if (reason) return { name, ...options, skipped: reason };
    return { name, ...options, command: [this.#python, join(benchFolder, 'peers', file), ...args.map(String)] };
  }

  /** The interpreter itself, with arguments, as a program to be timed by `wrapper`. */
  python(
    name: string,
    modules: readonly string[],
    wrapper: readonly string[],
    args: readonly string[],
    options: PeerOptions = {},
  ): Contender {
    const reason = this.#missing(modules);
    return reason
      ? { name, ...options, skipped: reason }
      : { name, ...options, command: [...wrapper, this.#python, ...args] };
  }

  program(name: string, program: string, command: readonly string[], options: PeerOptions = {}): Contender {
    if (this.#off) return { name, ...options, skipped: 'ISOCENTER_PEERS=none' };
    if (spawnSync('which', [program]).status !== 0)
      return { name, ...options, skipped: `no ${program} on the PATH; ${INSTALL}` };
    return { name, ...options, command };
  }

  /** A package of npm; `command` gets its folder. */
  npm(name: string, command: (folder: string) => readonly string[], options: PeerOptions = {}): Contender {
    const folder = join(process.env.ISOCENTER_PEERS_NPM ?? join(benchFolder, '.peers/npm'), 'node_modules', name);
    if (!this.#off && existsSync(folder)) return { name, ...options, command: command(folder) };
    return this.absent(name, `no ${folder}`, options);
  }

  /** A program of an environment of its own, beside that of the other Python peers: its requirements exclude theirs. */
  environment(
    name: string,
    program: string,
    command: (path: string) => readonly string[],
    options: PeerOptions = {},
  ): Contender {
    const path = join(dirname(this.#python), '../..', program, 'bin', program);
    if (!this.#off && existsSync(path)) return { name, ...options, command: command(path) };
    return this.absent(name, `no ${path}`, options);
  }

  absent(name: string, reason: string, options: PeerOptions = {}): Contender {
    return { name, ...options, skipped: this.#off ? 'ISOCENTER_PEERS=none' : `${reason}; ${INSTALL}` };
  }

  #missing(modules: readonly string[]): string | undefined {
    if (this.#off) return 'ISOCENTER_PEERS=none';
    if (!existsSync(this.#python)) return `no ${this.#python}; ${INSTALL}`;
    const missing = modules.filter((module) => !this.#present.get(module));
    return missing.length > 0 ? `Python has no ${missing.join(', ')}; ${INSTALL}` : undefined;
  }
}
