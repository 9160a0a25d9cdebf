/**
 * Which processes of this machine belong to a database folder. They are known by the titles that PostgreSQL gives them: the first
 * process names its folder, all others the cluster. (A process's folder in /proc is no help: root in a container may not read it.)
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Location } from './location.js';

interface ClusterProcess {
  readonly pid: number;
  /** The first process, that accepts connections and minds the others. */
  readonly first: boolean;
}

export async function clusterProcesses({ data, clusterName }: Location): Promise<readonly ClusterProcess[]> {
  const found: ClusterProcess[] = [];
  for (const { pid, title } of await titles()) {
    if (title.startsWith(`postgres: ${clusterName}: `)) found.push({ pid, first: false });
    else if (title.includes(` -D ${data} `) && title.includes(`cluster_name=${clusterName}`))
      found.push({ pid, first: true });
  }
  return found;
}

const FAST_MS = 10_000;
const IMMEDIATE_MS = 3_000;
const POLL_MS = 5;

/**
 * Ends what an earlier run left: cleanly when its first process lives, else at once, because its orphans hold shared memory that
 * keeps a new one from starting. Resolves when none is left.
 */
export async function endCluster(location: Location, now = () => performance.now()): Promise<boolean> {
  let left = await clusterProcesses(location);
  if (left.length === 0) return false;
  const began = now();
  let sent = '';
  while (left.length > 0) {
    const first = left.find((process) => process.first);
    const elapsed = now() - began;
    const signal =
      elapsed > FAST_MS + IMMEDIATE_MS ? 'SIGKILL' : first === undefined || elapsed > FAST_MS ? 'SIGQUIT' : 'SIGINT';
    const targets = first === undefined || signal === 'SIGKILL' ? left : [first];
    const order = `${signal} ${targets.map(({ pid }) => pid).join()}`;
    if (order !== sent) for (const { pid } of targets) signalProcess(pid, signal);
    sent = order;
    await sleep(POLL_MS);
    left = await clusterProcesses(location);
  }
  return true;
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended in between.
  }
}

async function titles(): Promise<readonly { readonly pid: number; readonly title: string }[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,command='], { maxBuffer: 2 ** 26 });
    return stdout.split('\n').map((line) => {
      const [pid, ...words] = line.trim().split(' ');
      return { pid: Number(pid), title: `${words.join(' ')} ` };
    });
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map(async (pid) => {
      // Arguments end with zeros, titles are padded with them.
      const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
      return { pid: Number(pid), title: `${Buffer.from(line, 'latin1').toString().replace(/\0+/g, ' ')} ` };
    }),
  );
}
