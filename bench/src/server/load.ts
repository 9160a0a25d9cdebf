/** Load on one address: wrk where it is installed, else a loop of our own in a process of its own. The same for all contenders. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface LoadWish {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadFigures {
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Answers other than 2xx and broken connections. */
  readonly failures: number;
  readonly tool: string;
}

const UNITS_MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

export async function load(wish: LoadWish): Promise<LoadFigures> {
  if (spawnSync('which', ['wrk']).status === 0) return withWrk(wish);
  const script = fileURLToPath(new URL('load-loop.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(wish)]);
  return JSON.parse(stdout) as LoadFigures;
}

async function withWrk({ url, headers, connections, seconds }: LoadWish): Promise<LoadFigures> {
  const { stdout } = await promisify(execFile)('wrk', [
    ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency'],
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    url,
  ]);
  const figure = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const [, amount, unit] = /^\s+99%\s+([\d.]+)(us|ms|s|m)\s*$/m.exec(stdout) ?? [];
  const perSecond = figure(/Requests\/sec:\s+([\d.]+)/);
  if (!(perSecond > 0)) throw new Error(`wrk: ${stdout.slice(-300)}`);
  // Servers that close after each answer (HTTP/1.0, gunicorn's sync worker) are "read errors" to wrk, though each answer came.
  const failures = figure(/Non-2xx or 3xx responses: (\d+)/) + figure(/Socket errors: connect (\d+)/);
  return {
    perSecond,
    p99Ms: Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS],
    failures,
    tool: 'wrk',
  };
}
