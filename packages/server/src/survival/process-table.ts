/** The processes of this machine as /proc tells them: who belongs to a run, whom to kill, who is left. Linux only. */
import { readdir, readFile } from 'node:fs/promises';

export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its arguments, or what it calls itself (PostgreSQL). */
  readonly title: string;
}

export async function processes(): Promise<readonly SeenProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(pids.map((pid) => readProcess(Number(pid))));
  return seen.filter((process) => process !== undefined);
}

/** Undefined: it has ended, or is a zombie whose parent has not looked yet. */
async function readProcess(pid: number): Promise<SeenProcess | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name stands in brackets and may itself hold brackets and blanks (proc(5)).
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1');
    return { pid, parent: Number(parent), title: line.replace(/\0+/g, ' ') };
  } catch {
    return undefined;
  }
}

export async function isAlive(pid: number): Promise<boolean> {
  return (await readProcess(pid)) !== undefined;
}

/** False: it was gone already. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function computeChildrenOf(all: readonly SeenProcess[], parents: readonly number[]): readonly SeenProcess[] {
  return all.filter(({ parent, title }) => parents.includes(parent) && title.includes('/compute/child/entry.js'));
}

/** The first process of the PostgreSQL whose data lie below `home`, with the name that all its others carry. */
export function postmasterOf(
  all: readonly SeenProcess[],
  home: string,
): { readonly pid: number; readonly cluster: string } | undefined {
  for (const { pid, title } of all) {
    const cluster = / cluster_name=(\S+)/.exec(title)?.[1];
    if (cluster && title.includes(` -D ${home}/`)) return { pid, cluster };
  }
  return undefined;
}

/** Those that serve connections, not the writers and the checkpointer. */
export function backendsOf(all: readonly SeenProcess[], cluster: string): readonly SeenProcess[] {
  return all.filter(({ title }) => title.startsWith(`postgres: ${cluster}: isocenter isocenter `));
}

/** Whatever runs on these folders or in these databases. */
export function belonging(
  all: readonly SeenProcess[],
  folder: string,
  clusters: readonly string[],
): readonly SeenProcess[] {
  return all.filter(
    ({ pid, title }) =>
      pid !== process.pid &&
      (title.includes(folder) || clusters.some((cluster) => title.startsWith(`postgres: ${cluster}: `))),
  );
}
